import { HeadDamaged, namesIn, type ObjectStore, PIN, readHead } from '@longrun/serialization';
import { type Kysely, sql } from 'kysely';

import { leasePrefix } from '../life/outcome.js';
import { experimentStatus } from '../life/transitions.js';
import type { LifeWriter } from '../life/writer.js';
import { CONTROLLER, USER } from '../record/audit.js';
import type { PlatformRecord } from '../record/record.js';
import type { Tables } from '../record/tables.js';
import type { EndedExperiment } from '../systems/retention.js';
import { AskedStore } from './asked-store.js';
import { refusalFor } from './checkpoints.js';
import { findLife } from './life-reading.js';
import { refused, RequestRefused } from './request-refused.js';

/** What it takes to delete an experiment. */
export interface DeleteOptions {
  /** Who deletes it, for the audit. Default: the user. */
  readonly by?: string;
  /** When it ended: one that has gone on since is not deleted. Default: whenever. */
  readonly endedAt?: Date;
  readonly record: PlatformRecord;
  readonly store: ObjectStore;
  readonly writer: LifeWriter;
}

/**
 * Deletes an experiment: when this returns it is neither listed nor found. What is left of it, in the store and in the record, the controller removes; see
 * `Removals`. Refused when it has not ended, has checkpoints that are pinned, or another experiment that begins from one of them has no copy of it yet.
 *
 * @throws ObjectsUnreachable
 */
export async function deleteExperiment(
  { record, store, writer, by = USER, endedAt }: DeleteOptions,
  id: string,
): Promise<void> {
  for (let isDone = false; !isDone;) {
    const seen = await newestChangeOf(record.db, id);
    const pinned = await pinnedOf(store, id);
    isDone = await writer.write(async (lives) => {
      const life = await findLife(lives, 'experiment', id);
      const { phase, reason } = life.row;
      const hasGoneOn = endedAt !== undefined && life.row.endedAt?.getTime() !== endedAt.getTime();
      if (phase !== 'ended' || hasGoneOn) {
        const facts = { what: 'experiment', id, status: experimentStatus(phase, reason) } as const;
        throw refused('conflict', [{ path: [], parameter: 'id', code: 'not-ended', facts }]);
      }
      // A checkpoint may have been pinned since they were looked at, or the experiment retried.
      if ((await newestChangeOf(lives.transaction, id)) !== seen) return false;
      if (pinned.length > 0) {
        const facts = { experiment: id, checkpoints: [...pinned] };
        throw refused('conflict', [{ path: [], parameter: 'id', code: 'checkpoints-pinned', facts }]);
      }
      await refuseAwaited(lives.transaction, id);
      const { name } = await lives.transaction
        .selectFrom('experiments')
        .select('name')
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      life.delete({ name }, new Date(), by);
      // By these it is found and listed.
      for (const table of ['metrics', 'experimentDatasets', 'experiments'] as const)
        await lives.transaction.deleteFrom(table).where('id', '=', id).execute();
      return true;
    });
  }
}

/**
 * Deletes an experiment for the platform itself, as it was kept long enough; false where a user could not have deleted it, or has.
 *
 * @throws ObjectsUnreachable
 */
export async function expireExperiment(options: DeleteOptions, { id, endedAt }: EndedExperiment): Promise<boolean> {
  try {
    await deleteExperiment({ ...options, by: CONTROLLER, endedAt }, id);
    return true;
  } catch (error) {
    if (error instanceof RequestRefused && error.kind !== 'unreadable') return false;
    throw error;
  }
}

/** Number of the newest change in the audit; null where there is none. */
async function newestChangeOf(db: Kysely<Tables>, id: string): Promise<number | null> {
  const { newest } = await db
    .selectFrom('audit')
    .select(({ fn }) => fn.max('number').as('newest'))
    .where('subject', '=', id)
    .executeTakeFirstOrThrow();
  return newest;
}

/** Names of the checkpoints that are pinned; none where what says so is damaged. */
async function pinnedOf(store: ObjectStore, id: string): Promise<readonly string[]> {
  try {
    const head = await readHead(new AskedStore(store), leasePrefix('experiment', id));
    if (head === undefined) return [];
    const isPinned = head.checkpoints.map(({ holds = [] }) => holds.some(({ name }) => name === PIN));
    return namesIn(head).filter((_, index) => isPinned[index]);
  } catch (error) {
    if (error instanceof HeadDamaged) return [];
    throw refusalFor(error, id, 'latest');
  }
}

/** Refuses while others are to begin from a checkpoint of it and have no copy yet. */
async function refuseAwaited(db: Kysely<Tables>, id: string): Promise<void> {
  const waiting = await db
    .selectFrom('experiments')
    .innerJoin('lives', 'lives.id', 'experiments.id')
    .select('lives.id')
    // As the index has it.
    .where(sql<boolean>`experiments.origin is not null and experiments.origin ->> 'experiment' = ${id}`)
    .where('lives.reopening', '=', true)
    .where('lives.phase', '!=', 'ended')
    .orderBy('lives.id')
    .execute();
  if (waiting.length === 0) return;
  const by = waiting.slice(0, NAMED).map((one) => one.id);
  const facts = { experiment: id, by, others: waiting.length - by.length };
  throw refused('conflict', [{ path: [], parameter: 'id', code: 'copies-awaited', facts }]);
}

/** How many of those in the way are named. */
const NAMED = 5;
