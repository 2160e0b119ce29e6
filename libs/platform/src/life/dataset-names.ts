import type { Transaction } from 'kysely';

import type { Tables } from '../record/tables.js';
import type { Life } from './life.js';
import { datasetResult } from './outcome.js';

/**
 * Where datasets end in this transaction: the name of one that has failed, or is found to be the same as its predecessor, goes back to that one. What waits for one that is
 * the same uses its predecessor from then on.
 */
export async function saveNames(transaction: Transaction<Tables>, lives: readonly Life[]): Promise<void> {
  const ended = lives.filter(({ row, changes }) => row.kind === 'dataset' && row.phase === 'ended' && changes.moved);
  for (const { row } of ended) {
    const isSame = typeof datasetResult(row.result)?.sameAs === 'string';
    if (row.reason !== 'succeeded' || isSame) await handBack(transaction, row.id, isSame);
  }
}

async function handBack(transaction: Transaction<Tables>, id: string, isSame: boolean): Promise<void> {
  // Of a name that somebody has, nobody else can be said to have it.
  const given = await transaction
    .updateTable('datasets')
    .set({ current: false })
    .where('id', '=', id)
    .where('current', '=', true)
    .returning('predecessor')
    .executeTakeFirst();
  const predecessor = given?.predecessor ?? null;
  if (predecessor === null) return;
  // It is there: nobody can delete it before the other one has ended.
  await transaction.updateTable('datasets').set({ current: true }).where('id', '=', predecessor).execute();
  if (!isSame) return;
  await transaction
    .updateTable('experimentDatasets')
    .set({ datasetId: predecessor })
    .where('datasetId', '=', id)
    .execute();
}
