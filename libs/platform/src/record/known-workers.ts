import { askedEngine, Resources, type WorkerReport } from '@longrun/contracts';
import { type Kysely, sql } from 'kysely';

import { recentWorkers } from './recent-workers.js';
import type { Tables } from './tables.js';

/** What is known of the workers that run experiments. */
export interface KnownWorkers {
  /** One of them is alive. */
  readonly alive: boolean;
  /** Threads of the largest that is alive or was seen in the last day: it may come back. Null when there is none. */
  readonly mostThreads: number | null;
  /** Of those that are alive or were seen in the last day. */
  readonly engines: KnownEngines;
  /** Of those that are alive. */
  readonly livingEngines: KnownEngines;
  /** Of each of those that are alive and take jobs: once where several have the same; an empty one where there is none. */
  readonly readyEngines: readonly KnownEngines[];
}

/** Providers that one of some workers can compute with, by engine. Null when one does not say it. */
export type KnownEngines = ReadonlyMap<string, ReadonlySet<string>> | null;

export async function knownWorkers(db: Kysely<Tables>): Promise<KnownWorkers> {
  const { alive, mostThreads, reported, living, ready } = await recentWorkers(db)
    .clearSelect()
    .where('kind', '=', 'experiment')
    .select(({ fn }) => [
      fn.max('threads').as('mostThreads'),
      sql<boolean | null>`bool_or(alive)`.as('alive'),
      sql<Reported>`json_agg(distinct engines)`.as('reported'),
      sql<Reported>`json_agg(distinct engines) filter (where alive)`.as('living'),
      sql<Reported>`json_agg(distinct engines)
        filter (where alive and status = 'ready' and reported_status = 'ready')`.as('ready'),
    ])
    .executeTakeFirstOrThrow();
  return {
    alive: alive === true,
    mostThreads,
    engines: merged(reported),
    livingEngines: merged(living),
    readyEngines: (ready ?? [{}]).map((report) => merged([report])),
  };
}

/** Threads that an experiment may have of these workers. What one gets that says nothing of threads is never too many. */
export function threadLimit({ mostThreads }: KnownWorkers): number {
  return Math.max(mostThreads ?? 0, BY_DEFAULT.threads);
}

/**
 * What of the engine that an experiment asks for none of some workers has; undefined where one has it, or may have it. What one gets that
 * says nothing of engines is never missing.
 */
export function missingEngine(
  engines: KnownEngines,
  { engine, provider }: Resources,
): { readonly engine: string; readonly provider: string | null; readonly known: string[] } | undefined {
  if (engines === null || askedEngine({ engine, provider }) === undefined) return undefined;
  const providers = engines.get(engine);
  if (providers === undefined) return { engine, provider: null, known: [...engines.keys()].toSorted() };
  if (provider === undefined || providers.has(provider)) return undefined;
  return { engine, provider, known: [...providers].toSorted() };
}

/** What an experiment can ask for and one of some workers has, as `engine` and `engine/provider`; null where it can be anything. */
export function presentEngines(engines: KnownEngines): string[] | null {
  if (engines === null) return null;
  const providers = [...engines].flatMap(([engine, names]) => [
    engine,
    ...[...names].map((name) => `${engine}/${name}`),
  ]);
  return [BY_DEFAULT.engine, ...providers];
}

/** Null where there is no worker. */
type Reported = readonly (WorkerReport['engines'] | null)[] | null;

function merged(reported: Reported): KnownEngines {
  const engines = new Map<string, Set<string>>();
  for (const report of reported ?? []) {
    if (report === null || report === undefined) return null;
    for (const [engine, providers] of Object.entries(report))
      engines.set(engine, new Set([...(engines.get(engine) ?? []), ...providers]));
  }
  return engines;
}

const BY_DEFAULT = Resources.parse({});

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
