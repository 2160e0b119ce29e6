import type { Transaction } from 'kysely';

import type { Tables } from './tables.js';

/** Writes the tags of experiments that have none on record, in their spec apart. */
export async function insertTags(
  transaction: Transaction<Tables>,
  experiments: readonly { readonly place: number; readonly tags: readonly string[] | undefined }[],
): Promise<void> {
  const rows = experiments.flatMap(({ place, tags = [] }) => [...new Set(tags)].map((tag) => ({ tag, place })));
  if (rows.length > 0) await transaction.insertInto('experimentTags').values(rows).execute();
}

/** Writes the tags of an experiment in the place of those that it has had. */
export async function replaceTags(
  transaction: Transaction<Tables>,
  place: number,
  tags: readonly string[] | undefined,
): Promise<void> {
  await transaction.deleteFrom('experimentTags').where('place', '=', place).execute();
  await insertTags(transaction, [{ place, tags }]);
}
