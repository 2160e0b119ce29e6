import { Resources } from '@longrun/contracts';
import { type Kysely, sql } from 'kysely';

import { recentWorkers } from './recent-workers.js';
import type { Tables } from './tables.js';

/** What is known of the workers that run experiments. */
export interface KnownWorkers {
  /** One of them is alive. */
  readonly alive: boolean;
  /** Threads of the largest that is alive or was seen in the last day: it may come back. Null when there is none. */
  readonly mostThreads: number | null;
}

export async function knownWorkers(db: Kysely<Tables>): Promise<KnownWorkers> {
  const { alive, mostThreads } = await recentWorkers(db)
    .clearSelect()
    .where('kind', '=', 'experiment')
    .select(({ fn }) => [fn.max('threads').as('mostThreads'), sql<boolean | null>`bool_or(alive)`.as('alive')])
    .executeTakeFirstOrThrow();
  return { alive: alive === true, mostThreads };
}

/** Threads that an experiment may have of these workers. What one gets that says nothing of threads is never too many. */
export function threadLimit({ mostThreads }: KnownWorkers): number {
  return Math.max(mostThreads ?? 0, BY_DEFAULT);
}

const BY_DEFAULT = Resources.parse({}).threads;

/** {@link knownWorkers}, read again when it is a second old: for what is only told. */
export class RecentlyKnownWorkers {
  #known: KnownWorkers | undefined;
  #readAt = 0;

  async read(db: Kysely<Tables>): Promise<KnownWorkers> {
    if (this.#known === undefined || performance.now() - this.#readAt > FRESH_MS) {
      this.#known = await knownWorkers(db);
      this.#readAt = performance.now();
    }
    return this.#known;
  }
}

const FRESH_MS = 1_000;
