import type { Client } from '@longrun/client';
import type { DatasetSummary, ExperimentSummary } from '@longrun/contracts';

import { LATEST } from '../arguments.js';

/** Nothing, or more than one thing, is called what was given. */
export class UnknownReference extends Error {
  override readonly name = 'UnknownReference';
}

/** An experiment or a dataset that was asked for by its id, the beginning of its id, or its name. */
export type Reference =
  | { readonly kind: 'experiment'; readonly id: string }
  | { readonly kind: 'dataset'; readonly id: string };

/** The one experiment, or else the one dataset, that the text means. Throws UnknownReference where there is no such one. */
export async function resolveReference(client: Client, text: string): Promise<Reference> {
  if (text === LATEST) return { kind: 'experiment', id: await newest(client) };
  if (isWholeId(text, 'exp')) return { kind: 'experiment', id: text };
  if (isWholeId(text, 'ds')) return { kind: 'dataset', id: text };
  const experiments = await found(text, 'exp', (query) => client.experiments.list({ ...query, limit: 200 }));
  if (experiments.length > 0) return { kind: 'experiment', id: theOnly(text, 'experiment', experiments) };
  const datasets = await datasetsCalled(client, text);
  if (datasets.length > 0) return { kind: 'dataset', id: theOnly(text, 'dataset', datasets) };
  const tooShort = isBeginning(text)
    ? ''
    : `; the beginning of an id has at least ${LEAST_OF_ID} characters after \`exp_\` or \`ds_\``;
  throw new UnknownReference(
    `there is no experiment \`${text}\`, and no dataset${tooShort}; \`longrun ls\` and \`longrun ls --datasets\` show what there is`,
  );
}

/** The id of the one experiment that the text means. Throws UnknownReference where there is no such one. */
export async function resolveExperiment(client: Client, text: string): Promise<string> {
  const { kind, id } = await resolveReference(client, text);
  if (kind === 'experiment') return id;
  throw new UnknownReference(`\`${text}\` is a dataset; give an experiment`);
}

/** The id of the one dataset that the text means, whatever experiments are called so. Throws UnknownReference where there is no such one. */
export async function resolveDataset(client: Client, text: string): Promise<string> {
  if (isWholeId(text, 'ds')) return text;
  const datasets = await datasetsCalled(client, text);
  if (datasets.length > 0) return theOnly(text, 'dataset', datasets);
  throw new UnknownReference(`there is no dataset \`${text}\`; \`longrun ls --datasets\` shows which there are`);
}

async function datasetsCalled(client: Client, text: string): Promise<readonly DatasetSummary[]> {
  return currentOf(await found(text, 'ds', (query) => client.datasets.list({ ...query, limit: 200 })));
}

async function newest(client: Client): Promise<string> {
  const { items } = await client.experiments.list({ limit: 1 });
  if (items[0] !== undefined) return items[0].id;
  throw new UnknownReference('there is no experiment yet; submit one with `longrun submit`');
}

/** What the beginning of an id has at least after its kind; less would mean whatever there is only one of. */
const LEAST_OF_ID = 4;

function isBeginning(text: string): boolean {
  return text.replace(/^(exp|ds)_/, '').length >= LEAST_OF_ID;
}

type Listed = Pick<ExperimentSummary | DatasetSummary, 'id' | 'name' | 'status'>;

function theOnly(text: string, what: string, candidates: readonly Listed[]): string {
  const [only] = candidates;
  if (only === undefined || candidates.length > 1) {
    const shown = candidates.slice(0, 10).map(({ id, name, status }) => `\n  ${id}  ${name} (${status})`);
    const more = candidates.length > 10 ? `\n  and ${candidates.length - 10} more` : '';
    const count = candidates.length < 200 ? candidates.length : '200 or more';
    throw new UnknownReference(`\`${text}\` means ${count} ${what}s; give the id of one:${shown.join('')}${more}`);
  }
  return only.id;
}

/** What has the name or, where nothing has, begins so; at most as many as are on a page. A name wins over the beginning of an id. */
async function found<Item extends Listed>(
  text: string,
  prefix: 'exp' | 'ds',
  ask: (query: { exactName: string } | { id: string }) => Promise<{ items: readonly Item[] }>,
): Promise<readonly Item[]> {
  const { items } = await ask({ exactName: text });
  if (items.length > 0 || !isBeginning(text) || !new RegExp(`^(${prefix}_)?[0-9a-f]{0,32}$`).test(text)) return items;
  return (await ask({ id: text })).items;
}

/** A name means the dataset that has it now over those that have failed or are superseded. */
function currentOf(datasets: readonly DatasetSummary[]): readonly DatasetSummary[] {
  const current = datasets.filter((dataset) => dataset.current);
  return current.length === 1 ? current : datasets;
}

function isWholeId(text: string, prefix: 'exp' | 'ds'): boolean {
  return new RegExp(`^${prefix}_[0-9a-f]{32}$`).test(text);
}
