import { Client } from '@longrun/client';

import { type AddressOptions, findAddress } from '../address.js';

/** What of an API can be completed: experiments, datasets, or (where a command takes either) both. */
export const KNOWN_KINDS = ['experiments', 'datasets', 'references'] as const;
export type KnownKind = (typeof KNOWN_KINDS)[number];

/** Nobody waits longer for the Tab key. */
const WITHIN_MS = 1_500;

/** So many are looked through. */
const MOST = 100;

/**
 * Ids and names that begin so, the newest first, each one word that no shell reads anything into. Nothing at all where no API answers at once: a
 * completion has nowhere to say why.
 */
export async function knownWords(
  options: AddressOptions,
  kind: KnownKind,
  beginning: string,
): Promise<readonly string[]> {
  try {
    const address = await findAddress(options);
    if (address === undefined) return [];
    const client = new Client({ ...address, timeoutMs: WITHIN_MS });
    const lists = await Promise.all([
      kind === 'datasets' ? [] : experiments(client, beginning),
      kind === 'experiments' ? [] : datasets(client, beginning),
    ]);
    const words = lists.flat().flatMap(({ id, name }) => [id, name]);
    return [...new Set(words)].filter((word) => word.startsWith(beginning) && PLAIN.test(word));
  } catch {
    return [];
  }
}

/** Names are others' text: what a shell would run, split or expand is not put on a command line. */
const PLAIN = /^[\p{L}\p{N}_][\p{L}\p{N}_.@+-]*$/u;

type Listed = { readonly id: string; readonly name: string };

async function experiments(client: Client, beginning: string): Promise<readonly Listed[]> {
  const query = beginning === '' ? {} : beginning.startsWith('exp_') ? { id: beginning } : { name: beginning };
  return (await client.experiments.list({ ...query, limit: MOST })).items;
}

async function datasets(client: Client, beginning: string): Promise<readonly Listed[]> {
  const query = beginning.startsWith('ds_') ? { id: beginning } : {};
  return (await client.datasets.list({ ...query, limit: MOST })).items;
}
