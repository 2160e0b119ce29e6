import { Kind } from '@longrun/contracts';
import type { ObjectStore } from '@longrun/serialization';
import type { Redis } from 'ioredis';

import { LifeWriter } from '../life/writer.js';
import { JobQueue } from '../queue/job-queue.js';
import type { PlatformRecord } from '../record/record.js';
import { connectRedis, type Warn } from '../redis/connection.js';
import type { RedisKeys } from '../redis/keys.js';
import { Census } from '../systems/census.js';
import { Connections } from '../systems/connections.js';
import { Endings } from '../systems/endings.js';
import { EventIngester, type IngestCounts, noEvents } from '../systems/event-ingester.js';
import { Forks } from '../systems/forks.js';
import { LogCompletion } from '../systems/log-completion.js';
import { RecordUpkeep } from '../systems/record-upkeep.js';
import { Reconciler } from '../systems/reconciler.js';
import { Removals } from '../systems/removals.js';
import { type EndedExperiment, Retention } from '../systems/retention.js';
import { Scheduler } from '../systems/scheduler.js';
import { WriteOff } from '../systems/write-off.js';
import type { Timings } from '../timings.js';
import { Leadership, type LeadershipTimings, type Term } from './leadership.js';

export interface ControllerOptions {
  readonly record: PlatformRecord;
  readonly store: ObjectStore;
  readonly redisUrl: string;
  /** The platform's connection; the controller makes those that block by itself. */
  readonly redis: Redis;
  readonly keys: RedisKeys;
  readonly timings: Timings;
  readonly leadership: LeadershipTimings;
  /** How many days experiments are kept after their end. Undefined: for ever. */
  readonly keepDays: number | undefined;
  /** Deletes an experiment that has ended; false where it is not to be deleted now. */
  readonly expire: (ended: EndedExperiment, writer: LifeWriter) => Promise<boolean>;
  /** Jobs in a queue at most. */
  readonly window: number;
  readonly warn: Warn;
}

/**
 * What acts by itself: takes in workers' events, schedules, reconciles, ends. Any number of processes may have one; of all on
 * one record exactly one leads and acts, and the others wait until it is gone.
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #leadership: Leadership;
  readonly #queues: Readonly<Record<Kind, JobQueue>>;
  #systems: Systems | undefined;
  #counts = noEvents;

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { redis, keys, warn, record, leadership } = options;
    this.#queues = {
      experiment: new JobQueue(redis, keys, 'experiment', warn),
      dataset: new JobQueue(redis, keys, 'dataset', warn),
    };
    this.#leadership = new Leadership({
      record,
      timings: leadership,
      warn,
      isFlowing: () => this.#systems?.ingester.isFlowing ?? false,
    });
  }

  start(): void {
    this.#leadership.start((term) => this.#lead(term));
  }

  /** How many worker events met which fate in the present or the last term of this process. */
  get eventCounts(): IngestCounts {
    return this.#systems?.ingester.counts ?? this.#counts;
  }

  /** Lets another process lead, and waits for what is under way. */
  async close(): Promise<void> {
    await this.#leadership.close();
    for (const kind of Kind.options) await this.#queues[kind].close();
  }

  async #lead(term: Term): Promise<void> {
    const systems = new Systems(this.#options, this.#queues, term);
    try {
      await systems.start();
      this.#systems = systems;
      await new Promise<void>((resolve) => {
        if (term.over.aborted) resolve();
        else term.over.addEventListener('abort', () => resolve(), { once: true });
      });
    } finally {
      this.#systems = undefined;
      this.#counts = systems.ingester.counts;
      await systems.close();
    }
  }
}

/** The systems of one term. */
class Systems {
  readonly ingester: EventIngester;
  readonly scheduler: Scheduler;
  readonly #endings: Endings;
  readonly #connections: Connections;
  readonly #reconciler: Reconciler;
  readonly #settling = new Set<Promise<void>>();
  /** Each ends listening to a notice. */
  readonly #deaf: (() => void)[] = [];
  readonly #options: ControllerOptions;

  constructor(options: ControllerOptions, queues: Readonly<Record<Kind, JobQueue>>, term: Term) {
    const { record, store, redisUrl, redis, keys, timings, window, warn, keepDays, expire } = options;
    this.#options = options;
    const writer = new LifeWriter(record, { guard: term.guard });
    const blockingRedis = connectRedis({ redisUrl, connectionName: 'record:events', warn });
    this.ingester = new EventIngester({
      record,
      writer,
      blockingRedis,
      redis,
      keys,
      scheduled: async () => {
        this.scheduler.kick();
        await this.scheduler.idle();
      },
      patienceMs: timings.workerLostAfterMs,
      warn,
    });
    const logs = new LogCompletion({ record, writer, store });
    this.#endings = new Endings({ writer, store, logs, catchUp: () => this.ingester.catchUp(), warn });
    this.scheduler = new Scheduler({ record, writer, queues, redis, store, window, warn });
    const writeOff = new WriteOff({ record, writer, endings: this.#endings, ingester: this.ingester });
    const connections = new Connections({ redis, keys, onGone: async (gone) => await writeOff.worker(gone), warn });
    this.#connections = connections;
    const goneAfterMs = timings.workerLostAfterMs;
    this.#reconciler = new Reconciler({
      record,
      writer,
      store,
      queues,
      redis,
      keys,
      ingester: this.ingester,
      endings: this.#endings,
      scheduler: this.scheduler,
      logs,
      forks: new Forks({ record, writer, store, logs, endings: this.#endings, warn }),
      retention: new Retention({ record, keepDays, expire: async (ended) => await expire(ended, writer), warn }),
      upkeep: new RecordUpkeep(record),
      removals: new Removals({ record, writer, store, warn }),
      census: new Census({ record, redis, keys, goneAfterMs, guard: term.guard, connections, warn }),
      writeOff,
      timings,
      warn,
    });
  }

  async start(): Promise<void> {
    const { redis, record } = this.#options;
    const { notices } = record;
    // Without Redis nothing is put into the queue: what was to be waits for it, not for the next look.
    const kick = (): void => this.scheduler.kick();
    redis.on('ready', kick);
    this.#deaf.push(
      () => redis.off('ready', kick),
      notices.on('longrun_moved', kick),
      notices.on('longrun_decided', (id) => {
        if (id !== null) this.#settle(id);
      }),
    );
    await this.ingester.start();
    this.#reconciler.start();
    this.#connections.start();
  }

  async close(): Promise<void> {
    for (const stop of this.#deaf.splice(0)) stop();
    await Promise.all([
      this.ingester.close(),
      this.#connections.close(),
      this.#reconciler.close(),
      this.scheduler.close(),
    ]);
    await Promise.all(this.#settling);
  }

  #settle(id: string): void {
    const settling = this.#endings
      .settle(id)
      .catch((error: unknown) => this.#options.warn(`Ending ${id} failed: ${String(error)}; it is tried again`))
      .finally(() => this.#settling.delete(settling));
    this.#settling.add(settling);
  }
}
