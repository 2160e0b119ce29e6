import type { Kysely } from 'kysely';

import type { Life } from '../life/life.js';
import type { Lives } from '../life/lives.js';
import { datasetResult } from '../life/outcome.js';
import { datasetStatus } from '../life/transitions.js';
import type { LifeWriter } from '../life/writer.js';
import { USER } from '../record/audit.js';
import type { Tables } from '../record/tables.js';
import { findLife } from './life-reading.js';
import { refused } from './request-refused.js';

/**
 * Deletes a dataset, and what was found to be the same: when this returns it is neither listed nor found, and its name is free where it had it. Its file the controller
 * removes; see `Removals`. Refused when it is still converted, may get its name back, or an experiment that has not ended uses it.
 */
export async function deleteDataset(writer: LifeWriter, id: string): Promise<void> {
  await writer.write(async (lives) => {
    const life = await findLife(lives, 'dataset', id);
    const { phase, reason } = life.row;
    if (phase !== 'ended') {
      const facts = { what: 'dataset', id, status: datasetStatus(phase, reason) } as const;
      throw refused('conflict', [{ path: [], parameter: 'id', code: 'not-ended', facts }]);
    }
    const { name } = await lives.transaction
      .selectFrom('datasets')
      .select('name')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    const same = await refuseSucceeded(lives, id);
    await refuseUsed(lives.transaction, id, name);
    for (const one of [life, ...same]) one.delete({ name }, new Date(), USER);
    // Experiments that have ended still say what they used.
    await lives.transaction.updateTable('datasets').set({ current: false }).where('id', '=', id).execute();
  });
}

/** Refuses one whose successor has not ended; answers those that were found to be the same. */
async function refuseSucceeded(lives: Lives, id: string): Promise<Life[]> {
  const successors = await lives.transaction
    .selectFrom('datasets')
    .innerJoin('lives', 'lives.id', 'datasets.id')
    .select(['datasets.id', 'lives.phase', 'lives.result'])
    .where('datasets.predecessor', '=', id)
    .where('lives.deletedAt', 'is', null)
    .execute();
  const active = successors.find(({ phase }) => phase !== 'ended');
  if (active !== undefined) {
    const facts = { dataset: id, by: active.id };
    throw refused('conflict', [{ path: [], parameter: 'id', code: 'dataset-succeeded', facts }]);
  }
  const same = successors.filter(({ result }) => datasetResult(result)?.sameAs === id).map((one) => one.id);
  const loaded = await lives.load(same);
  return same.flatMap((one) => loaded.get(one) ?? []);
}

async function refuseUsed(db: Kysely<Tables>, id: string, name: string): Promise<void> {
  const users = await db
    .selectFrom('experimentDatasets as used')
    .innerJoin('lives', 'lives.id', 'used.id')
    .select('used.id')
    .distinct()
    .where('used.datasetId', '=', id)
    .where('lives.phase', '!=', 'ended')
    .orderBy('used.id')
    .execute();
  if (users.length === 0) return;
  const by = users.slice(0, NAMED).map((one) => one.id);
  const facts = { dataset: name, by, others: users.length - by.length };
  throw refused('conflict', [{ path: [], parameter: 'id', code: 'dataset-used', facts }]);
}

/** How many of those in the way are named. */
const NAMED = 5;
