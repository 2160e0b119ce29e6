import type { AttemptView, Kind } from '@longrun/contracts';

import type { PlatformRecord } from '../record/record.js';
import type { LifeRow } from '../record/tables.js';
import { refused } from './request-refused.js';
import { attemptView } from './views.js';
import { waitingForReadyWorkers } from './waiting-for-workers.js';

/**
 * A life as users see it, with its attempts, oldest first. Refuses when there is none.
 *
 * @param row what was found under `id`
 */
export async function readLife<Row extends LifeRow, Summary extends { readonly message: string | null }>(
  record: PlatformRecord,
  asked: { readonly what: Kind; readonly id: string },
  row: Row | undefined,
  view: (row: Row) => Summary,
): Promise<Summary & { attempts: AttemptView[] }> {
  if (row === undefined) throw notFound(asked.what, asked.id);
  const attempts = await record.db
    .selectFrom('attempts')
    .selectAll()
    .where('id', '=', row.id)
    .orderBy('fence')
    .execute();
  const summary = view(row);
  const message = summary.message ?? (await waitingForReadyWorkers(record.db, row));
  return { ...summary, message, attempts: attempts.map(attemptView) };
}

/** Refuses an id or name that nothing has. */
export function notFound(what: Kind | 'worker', id: string, parameter = 'id'): Error {
  return refused('not-found', [{ path: [], parameter, code: 'not-found', facts: { what, id } }]);
}
