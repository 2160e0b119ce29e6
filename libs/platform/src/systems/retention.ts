import { sql } from 'kysely';

import type { PlatformRecord } from '../record/record.js';
import type { Warn } from '../redis/connection.js';
import { Troubles } from './troubles.js';

/** An experiment, and when it ended. */
export interface EndedExperiment {
  readonly id: string;
  readonly endedAt: Date;
}

export interface RetentionOptions {
  readonly record: PlatformRecord;
  /** How many days an experiment is kept after its end. Undefined: for ever. */
  readonly keepDays: number | undefined;
  /** Deletes one that has ended; false where it is not to be deleted now. */
  readonly expire: (ended: EndedExperiment) => Promise<boolean>;
  readonly warn: Warn;
}

/**
 * Deletes experiments that ended long ago, as a user would: what a user could not delete stays, and is looked at again with the next pass. In the background, a pass each
 * hour.
 */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #stop = new AbortController();
  readonly #troubles = new Troubles();
  #pass: Promise<void> | undefined;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** Begins a pass where it is time for one. Waits for nothing. */
  look(): void {
    if (this.#options.keepDays === undefined || this.#pass !== undefined || performance.now() < this.#nextAt) return;
    this.#nextAt = performance.now() + BETWEEN_PASSES_MS;
    this.#pass = this.#run(this.#options.keepDays)
      .catch((error: unknown) => this.#say('Looking for experiments that ended long ago', error))
      .finally(() => (this.#pass = undefined));
  }

  /** Gives up the pass that is under way. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#pass;
  }

  async #run(keepDays: number): Promise<void> {
    let deleted = 0;
    for (let after: Ended | undefined; ;) {
      const old = await this.#endedLongAgo(keepDays, after);
      for (const ended of old) {
        if (this.#stop.signal.aborted) return;
        if (await this.#expire(ended)) deleted += 1;
      }
      after = old.at(-1);
      if (after === undefined) break;
    }
    if (deleted === 0) return;
    this.#options.warn(
      `${deleted} experiment${deleted === 1 ? '' : 's'} deleted that had ended ${keepDays} days ago or earlier`,
    );
  }

  async #expire(ended: EndedExperiment): Promise<boolean> {
    const what = `Deleting ${ended.id}, which ended long ago,`;
    try {
      const isDeleted = await this.#options.expire(ended);
      this.#troubles.over(what);
      return isDeleted;
    } catch (error) {
      this.#say(what, error);
      return false;
    }
  }

  /** A clock that is wrong, of the database or of this process, deletes nothing by itself: the other one has to agree. */
  async #endedLongAgo(keepDays: number, after: Ended | undefined): Promise<readonly Ended[]> {
    const limit = sql<Date>`least(now(), ${new Date()}::timestamptz) - make_interval(days => ${keepDays})`;
    return await this.#options.record.db
      .selectFrom('experiments')
      .select(['id', 'endedAt', 'place'])
      .where('endedAt', '<', limit)
      .$narrowType<{ endedAt: Date }>()
      .where('place', '>', after?.place ?? 0)
      .orderBy('place')
      .limit(AT_ONCE)
      .execute();
  }

  #say(what: string, error: unknown): void {
    if (this.#stop.signal.aborted || !this.#troubles.isNew(what, String(error))) return;
    this.#options.warn(`${what} failed: ${String(error)}; trying again in an hour`);
  }
}

interface Ended extends EndedExperiment {
  readonly place: number;
}

const BETWEEN_PASSES_MS = 3_600_000;
/** As many are read at a time. */
const AT_ONCE = 100;
