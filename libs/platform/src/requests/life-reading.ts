import type { AttemptView, FaultOf, Kind } from '@longrun/contracts';
import type { Kysely, Transaction } from 'kysely';

import type { Life } from '../life/life.js';
import type { Lives } from '../life/lives.js';
import type { PlatformRecord } from '../record/record.js';
import type { LifeRow, Tables } from '../record/tables.js';
import { refused, type RequestRefused } from './request-refused.js';
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
  if (row === undefined) throw await absent(record.db, asked.what, asked.id);
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

/** Locks an experiment or dataset. Refused when there is none with this id. */
export async function findLife(lives: Lives, what: Kind, id: string): Promise<Life> {
  const life = await lives.find(id);
  if (life === undefined || life.row.kind !== what || life.row.deletedAt !== null)
    throw await absent(lives.transaction, what, id);
  return life;
}

/** The refusal of an id or name that no experiment or dataset has; one that was deleted is said to have been, and when. */
export async function absent(db: Kysely<Tables>, what: Kind, id: string): Promise<RequestRefused> {
  return refused('not-found', [await absence(db, what, id, 'id')]);
}

/** What is at fault in an id that none has, see {@link absent}. */
export async function absence(
  db: Kysely<Tables>,
  what: Kind,
  id: string,
  parameter: 'id' | 'experiments' | 'with',
): Promise<FaultOf<'not-found'>> {
  const place = { path: [], parameter } as const;
  const life = await db
    .selectFrom('lives')
    .select('deletedAt')
    .where('id', '=', id)
    .where('kind', '=', what)
    .executeTakeFirst();
  if (life?.deletedAt == null) return { ...place, code: 'not-found', facts: { what, id } };
  return { ...place, code: 'deleted', facts: { what, id, at: life.deletedAt.toISOString() } };
}

/** Those of the ids whose experiments or datasets are there; none of them is deleted before the transaction is over. */
export async function thoseThere(
  transaction: Transaction<Tables>,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await transaction
    .selectFrom('lives')
    .select('id')
    .where('id', 'in', ids)
    .where('deletedAt', 'is', null)
    .orderBy('id')
    // Whoever deletes it waits for that, as whoever else locks it does.
    .forKeyShare()
    .execute();
  return new Set(rows.map(({ id }) => id));
}
