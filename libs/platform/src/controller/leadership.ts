import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';

import { sql, type Transaction } from 'kysely';
import { v7 as uuid } from 'uuid';

import type { PlatformRecord } from '../record/record.js';
import type { Tables } from '../record/tables.js';
import type { Warn } from '../redis/connection.js';

/** How leadership passes on, in milliseconds. */
export interface LeadershipTimings {
  /** Pause between two signs of life of the leader, and between two looks of the others. Default 500. */
  readonly beatEveryMs: number;
  /** A leader that gave no sign of life for so long, by the record's clock, is followed by another. Default 2,500. */
  readonly expiresAfterMs: number;
}

export const defaultLeadershipTimings: LeadershipTimings = { beatEveryMs: 500, expiresAfterMs: 2_500 };

export interface LeadershipOptions {
  readonly record: PlatformRecord;
  readonly timings: LeadershipTimings;
  readonly warn: Warn;
  /** What the leader says of itself with each beat: whether workers' events are being taken in. */
  readonly isFlowing: () => boolean;
}

/** This process is not the leader, or not any more: what it was about to write was not written. */
export class NotLeader extends Error {
  override readonly name = 'NotLeader';
}

/** The time in which a process leads. */
export interface Term {
  /** Higher than that of every leader before. */
  readonly number: number;
  /** Aborted when another may lead, or this one is to end. */
  readonly over: AbortSignal;
  /**
   * To be called first in each transaction that only the leader may do: it holds the term until the transaction ends.
   *
   * @throws NotLeader
   */
  readonly guard: (transaction: Transaction<Tables>) => Promise<void>;
}

/** Who leads, as the record says. */
export interface LeaderSeen {
  readonly number: number;
  readonly holder: string | null;
  /** A sign of life is young enough. */
  readonly alive: boolean;
  /** The leader takes in workers' events. */
  readonly flowing: boolean;
}

/**
 * Sees to it that of all processes on one record exactly one leads: a row of the record has a number that each leader
 * raises, and everything that a leader writes is guarded by it. A leader that froze can write nothing once it was followed,
 * whatever it believes; that silence may be a pause costs nothing but the change.
 */
export class Leadership {
  readonly holder = `${hostname()}-${process.pid}-${uuid().slice(-6)}`;
  readonly #options: LeadershipOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  /** Leads, again and again: `lead` does the work of a term and resolves soon after it is over. */
  start(lead: (term: Term) => Promise<void>): void {
    this.#running = this.#run(lead);
  }

  /** Ends the term, if there is one, and lets another process lead at once. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(lead: (term: Term) => Promise<void>): Promise<void> {
    const { timings, warn } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        const number = await this.#take();
        if (number !== undefined) await this.#leadAs(number, lead);
      } catch (error) {
        if (!this.#stop.signal.aborted) warn(`Leading failed: ${String(error)}; trying again`);
      }
      await pause(timings.beatEveryMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  async #leadAs(number: number, lead: (term: Term) => Promise<void>): Promise<void> {
    const lost = new AbortController();
    const over = AbortSignal.any([lost.signal, this.#stop.signal]);
    const beating = this.#beat(number, lost);
    try {
      await lead({ number, over, guard: (transaction) => guard(transaction, number) });
    } finally {
      lost.abort();
      await beating;
      await this.#giveUp(number);
    }
  }

  /** The number of the new term; undefined while another leads. */
  async #take(): Promise<number | undefined> {
    const { record, timings } = this.#options;
    // The lock holds up the leader's writes: it is asked for only when there seems to be none.
    if (!record.isExclusive && (await leaderOf(record.db, timings)).alive) return undefined;
    return record.transact(async (transaction) => {
      // Waits for what the leader before is writing; its session is ended by the database when it stands still.
      await sql`select number from controller for update`.execute(transaction);
      if (!record.isExclusive && (await leaderOf(transaction, timings)).alive) return undefined;
      const taken = await sql<{
        number: number;
      }>`update controller set number = number + 1, holder = ${this.holder}, since = now() returning number`.execute(
        transaction,
      );
      await sql`update controller_beats set at = clock_timestamp(), flowing = false`.execute(transaction);
      return taken.rows[0]?.number;
    });
  }

  async #beat(number: number, lost: AbortController): Promise<void> {
    const { record, timings, warn, isFlowing } = this.#options;
    while (!lost.signal.aborted) {
      await pause(timings.beatEveryMs, undefined, { signal: lost.signal }).catch(() => undefined);
      if (lost.signal.aborted) return;
      try {
        const beat = await sql`update controller_beats set at = clock_timestamp(), flowing = ${isFlowing()}
          where (select number from controller) = ${number}`.execute(record.db);
        if (beat.numAffectedRows === 0n) {
          warn('Another process leads now; this one goes on without leading');
          lost.abort();
        }
      } catch (error) {
        // Nothing is known: the guard decides with every write.
        warn(`The leader's sign of life could not be written: ${String(error)}; trying again`);
      }
    }
  }

  async #giveUp(number: number): Promise<void> {
    await sql`update controller_beats set at = null where (select number from controller) = ${number}`
      .execute(this.#options.record.db)
      .catch(() => undefined);
  }
}

/** Who leads now. */
export async function leaderOf(
  db: Pick<Transaction<Tables>, 'selectFrom'>,
  { expiresAfterMs }: LeadershipTimings,
): Promise<LeaderSeen> {
  const row = await db
    .selectFrom('controller')
    .innerJoin('controllerBeats', 'controllerBeats.only', 'controller.only')
    .select([
      'controller.number',
      'controller.holder',
      'controllerBeats.flowing',
      sql<boolean>`coalesce(clock_timestamp() - controller_beats.at < ${expiresAfterMs} * interval '1 millisecond', false)`.as(
        'alive',
      ),
    ])
    .executeTakeFirstOrThrow();
  return { number: row.number, holder: row.holder, alive: row.alive, flowing: row.alive && row.flowing };
}

async function guard(transaction: Transaction<Tables>, number: number): Promise<void> {
  const { rows } = await sql`select 1 from controller where number = ${number} for share`.execute(transaction);
  if (rows.length === 0)
    throw new NotLeader(`Term ${number} is over: another process leads, and nothing of this was written`);
}
