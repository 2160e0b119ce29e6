import type { Kysely } from 'kysely';

import type { LifeRow, Tables } from '../record/tables.js';

/** Why a life that could run waits, where all workers that could take it are in quarantine; null where that is not why. */
export async function waitingForFitWorkers(db: Kysely<Tables>, life: LifeRow): Promise<string | null> {
  if (life.phase !== 'queued' || !life.enqueued) return null;
  const workers = await db
    .selectFrom('workers')
    .select(['id', 'status', 'statusReason'])
    .where('kind', '=', life.kind)
    .where('alive', '=', true)
    .orderBy('id')
    .execute();
  const [first] = workers;
  if (first === undefined || workers.some(({ status }) => status !== 'quarantined')) return null;
  const [which, others] =
    workers.length === 1 ? ['The only worker is', ''] : [`All ${workers.length} workers are`, ', and others'];
  const why = first.statusReason === null ? '' : ` (${first.statusReason})`;
  return `${which} quarantined: ${first.id}${why}${others}; it runs when one passes its check or is released`;
}
