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

/** The id of the one experiment that the text means. Throws UnknownReference with the candidates. */
export async function experimentId(client: Client, text: string): Promise<string> {
  if (isWholeId(text, 'exp')) return text;
  return theOnly(text, 'experiment', await all((cursor) => client.experiments({ limit: 200, ...cursor })));
}

/** The one experiment, or else the one dataset, that the text means. */
export async function resolveReference(client: Client, text: string): Promise<Reference> {
  if (isWholeId(text, 'exp')) return { kind: 'experiment', id: text };
  if (isWholeId(text, 'ds')) return { kind: 'dataset', id: text };
  const experiments = await all((cursor) => client.experiments({ limit: 200, ...cursor }));
  const datasets = await all((cursor) => client.datasets({ limit: 200, ...cursor }));
  const isDataset = candidates(text, experiments).length === 0 && candidates(text, datasets).length > 0;
  return isDataset
    ? { kind: 'dataset', id: theOnly(text, 'dataset', datasets) }
    : { kind: 'experiment', id: theOnly(text, 'experiment', experiments) };
}

type Listed = Pick<ExperimentSummary | DatasetSummary, 'id' | 'name' | 'status'>;

function theOnly(text: string, what: string, listed: readonly Listed[]): string {
  const found = candidates(text, listed);
  const [only] = found;
  if (only === undefined)
    throw new UnknownReference(`there is no ${what} \`${text}\`; \`longrun ls\` shows what there is`);
  if (found.length > 1) {
    const shown = found.slice(0, 10).map(({ id, name, status }) => `\n  ${id}  ${name} (${status})`);
    const more = found.length > 10 ? `\n  and ${found.length - 10} more` : '';
    throw new UnknownReference(
      `\`${text}\` means ${found.length} ${what}s; give the id of one:${shown.join('')}${more}`,
    );
  }
  return only.id;
}

/** A name wins over the beginning of an id. */
function candidates(text: string, listed: readonly Listed[]): Listed[] {
  const named = listed.filter(({ name }) => name === text);
  if (named.length > 0) return named;
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
