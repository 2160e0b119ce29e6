import type { DatasetSummary, ExperimentSummary } from '@longrun/contracts';

import type { Client } from '../client.js';

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
  if (isWholeId(text, 'exp')) return { kind: 'experiment', id: text };
  if (isWholeId(text, 'ds')) return { kind: 'dataset', id: text };
  const experiments = await all((cursor) => client.experiments({ limit: 200, ...cursor }));
  const datasets = await all((cursor) => client.datasets({ limit: 200, ...cursor }));
  for (const [kind, listed] of [
    ['experiment', experiments],
    ['dataset', datasets],
  ] as const) {
    const found = candidates(text, listed);
    if (found.length > 0) return { kind, id: theOnly(text, kind, found) };
  }
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

/** What the beginning of an id has at least after its kind; less would mean whatever there is only one of. */
const LEAST_OF_ID = 4;

function isBeginning(text: string): boolean {
  return text.replace(/^(exp|ds)_/, '').length >= LEAST_OF_ID;
}

type Listed = Pick<ExperimentSummary | DatasetSummary, 'id' | 'name' | 'status'>;

function theOnly(text: string, what: string, found: readonly Listed[]): string {
  const [only] = found;
  if (only === undefined || found.length > 1) {
    const shown = found.slice(0, 10).map(({ id, name, status }) => `\n  ${id}  ${name} (${status})`);
    const more = found.length > 10 ? `\n  and ${found.length - 10} more` : '';
    throw new UnknownReference(
      `\`${text}\` means ${found.length} ${what}s; give the id of one:${shown.join('')}${more}`,
    );
  }
  return only.id;
}

/** A name wins over the beginning of an id, and means the dataset that has it now over those that have failed. */
function candidates(text: string, listed: readonly Listed[]): Listed[] {
  const named = listed.filter(({ name }) => name === text);
  const current = named.filter(({ id, status }) => id.startsWith('ds_') && status !== 'failed');
  if (current.length === 1) return current;
  if (named.length > 0 || !isBeginning(text)) return named;
  return listed.filter(({ id }) => id.startsWith(text) || id.slice(id.indexOf('_') + 1).startsWith(text));
}

/** All items of a paged list. */
export async function all<T>(
  page: (cursor: { cursor?: string }) => Promise<{ items: T[]; nextCursor: string | null }>,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null | undefined;
  do {
    const next = await page(typeof cursor === 'string' ? { cursor } : {});
    items.push(...next.items);
    cursor = next.nextCursor;
  } while (cursor !== null);
  return items;
}

function isWholeId(text: string, prefix: 'exp' | 'ds'): boolean {
  return new RegExp(`^${prefix}_[0-9a-f]{32}$`).test(text);
}
