import { hasEngine, type Kind, ReasonCode, retryPolicy } from '@longrun/contracts';
import { type Kysely, sql } from 'kysely';

import { askedEngines } from '../record/asked-engines.js';
import type { Tables, WorkerRow } from '../record/tables.js';

/**
 * Of those lives that lost a worker or trainer, or had one that is unfit or whose disk failed them, since their last checkpoint: the
 * workers that are to leave the next attempt to others. None where nobody else is alive and ready that has the engine it asks for, or, unless it is for a
 * disk, where the job has waited for others for long.
 */
export async function workersToAvoid(
  db: Kysely<Tables>,
  kind: Kind,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (ids.length === 0) return new Map();
  const losses = await db
    .selectFrom('attempts as lost')
    .innerJoin('lives', 'lives.id', 'lost.id')
    .leftJoin('attempts as next', (join) =>
      join.onRef('next.id', '=', 'lives.id').onRef('next.fence', '=', 'lives.fence').on('next.status', '=', 'enqueued'),
    )
    .select(['lost.id', 'lost.workerId', 'lost.reason', 'next.enqueuedAt'])
    .where('lost.id', 'in', ids)
    .where('lost.reason', 'in', BLAMED)
    .where(sinceLastCheckpoint)
    .execute();
  if (losses.length === 0) return new Map();
  const ready = await readyWorkers(db, kind);
  const asked = await askedEngines(db, ids);
  const avoided = new Map<string, string[]>();
  for (const { id, workerId, reason, enqueuedAt } of losses) {
    const workers = avoided.get(id) ?? [];
    avoided.set(id, workers);
    const hasWaitedLong = enqueuedAt !== null && Date.now() - enqueuedAt.getTime() > WAIT_FOR_OTHERS_MS;
    if (hasWaitedLong && reason !== 'worker_disk') continue;
    if (workerId !== null && !workers.includes(workerId)) workers.push(workerId);
  }
  return new Map(
    [...avoided].map(([id, workers]) => {
      const able = ready.filter(({ engines }) => hasEngine(engines, asked.get(id)));
      return [id, able.every((one) => workers.includes(one.id)) ? [] : workers];
    }),
  );
}

/** Those that are alive and take jobs of the kind. */
export async function readyWorkers(db: Kysely<Tables>, kind: Kind): Promise<Pick<WorkerRow, 'id' | 'engines'>[]> {
  return await db
    .selectFrom('workers')
    .select(['id', 'engines'])
    .where('kind', '=', kind)
    .where('alive', '=', true)
    .where('status', '=', 'ready')
    .where('reportedStatus', '=', 'ready')
    .execute();
}

/** The attempt that made the newest checkpoint was lost after it, if it was. */
const sinceLastCheckpoint = sql<boolean>`lost.fence >= coalesce(
  (select max(checkpoints.fence) from checkpoints where checkpoints.id = lost.id), 0)`;

const BLAMED = ReasonCode.options.filter((reason) => ['loss', 'worker'].includes(retryPolicy[reason].counts));

/** The others may all be busy with long work, or not take it although they are there. */
const WAIT_FOR_OTHERS_MS = 60_000;
