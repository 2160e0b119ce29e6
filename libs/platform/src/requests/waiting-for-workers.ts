import { hasEngine } from '@longrun/contracts';
import type { Kysely } from 'kysely';

import { askedEngines } from '../record/asked-engines.js';
import type { LifeRow, Tables } from '../record/tables.js';

/**
 * Why a life waits that waits for no dataset, where all workers that could take it are in quarantine or drained; null where that is
 * not why. Those that have not the engine it asks for could not.
 */
export async function waitingForReadyWorkers(db: Kysely<Tables>, life: LifeRow): Promise<string | null> {
  if (life.phase !== 'queued') return null;
  const asked = (await askedEngines(db, [life.id])).get(life.id);
  const living = await db
    .selectFrom('workers')
    .select(['id', 'status', 'statusReason', 'engines'])
    .where('kind', '=', life.kind)
    .where('alive', '=', true)
    .orderBy('id')
    .execute();
  const workers = living.filter(({ engines }) => hasEngine(engines, asked));
  const [first] = workers;
  if (first === undefined || workers.some(({ status }) => status === 'ready')) return null;
  const those = asked === undefined ? '' : ` with ${asked}`;
  const [which, others] =
    workers.length === 1
      ? [`The only worker${those} is`, '']
      : [`All ${workers.length} workers${those} are`, ', and others'];
  const statuses = [...new Set(workers.map(({ status }) => status))].toSorted();
  const why = first.statusReason === null ? '' : ` (${first.statusReason})`;
  const until = statuses.includes('quarantined') ? 'passes its check or is released' : 'is released';
  return `${which} ${statuses.toReversed().join(' or ')}: ${first.id}${why}${others}; it runs when one ${until}`;
}
