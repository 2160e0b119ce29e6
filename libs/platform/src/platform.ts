import { Kind, RetryBudget } from '@longrun/contracts';
import { type ObjectStore, openObjectStore } from '@longrun/serialization';
import type { Redis } from 'ioredis';

import { LiveEvents } from './life/live-events.js';
import { type Committed, LifeWriter } from './life/writer.js';
import type { ProgramCatalog } from './program-catalog.js';
import { JobQueue } from './queue/job-queue.js';
import { queueSettings, type QueueSettingsInput } from './queue/queue-settings.js';
import { openRecord, type PlatformRecord, type RecordLocation } from './record/record.js';
import { connectRedis, disconnectRedis, type Warn, warnOnStderr } from './redis/connection.js';
import { RedisKeys } from './redis/keys.js';
import { Datasets } from './systems/datasets.js';
import { Endings } from './systems/endings.js';
import { EventIngester, type IngestCounts } from './systems/event-ingester.js';
import { Experiments } from './systems/experiments.js';
import { Reconciler } from './systems/reconciler.js';
import { Scheduler } from './systems/scheduler.js';
import { timings, type TimingsInput } from './timings.js';

export interface PlatformOptions {
  /** Where the record is. */
  readonly record: RecordLocation;
  /** `redis://host:port`. It may be away at the start, and at any time after. */
  readonly redisUrl: string;
  /** `file:/absolute/folder`. */
  readonly objectStoreUrl: string;
  /** The programs that experiments may name. */
  readonly programs: ProgramCatalog;
  /** Names of the converters that datasets may name. Default: every name passes, and the worker refuses unknown ones. */
  readonly converters?: readonly string[];
  /** Prefix of all names in Redis. Default `longrun`. */
  readonly prefix?: string;
  readonly timings?: TimingsInput;
  readonly queue?: QueueSettingsInput;
  /** How often a conversion is tried again. Default as for experiments. */
  readonly datasetRetry?: RetryBudget;
  /** Told what went wrong and is being tried again. Default: a line on standard error. */
  readonly warn?: Warn;
}

/** What works and what does not, right now. */
export interface PlatformHealth {
  readonly record: boolean;
  readonly redis: boolean;
  /** Workers' events are being taken in. */
  readonly events: boolean;
}

/** Opens the record and starts everything that looks after experiments and datasets. One per record. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  return startOn(await openRecord(options.record, options.warn), options);
}

/** Starts on a record that is open. It closes the record with the platform, or at once when it cannot start. */
export async function startOn(record: PlatformRecord, options: Omit<PlatformOptions, 'record'>): Promise<Platform> {
  let platform: Platform;
  try {
    platform = new Platform(options, record, await openObjectStore(options.objectStoreUrl));
  } catch (error) {
    await record.close();
    throw error;
  }
  try {
    await platform.start();
  } catch (error) {
    await platform.close();
    throw error;
  }
  return platform;
}

/** The life of experiments and datasets, wired together. Get one from {@link startPlatform}. */
export class Platform {
  readonly experiments: Experiments;
  readonly datasets: Datasets;
  readonly #record: PlatformRecord;
  readonly #warn: Warn;
  readonly #redis: Redis;
  readonly #queues: Readonly<Record<Kind, JobQueue>>;
  readonly #live: LiveEvents;
  readonly #endings: Endings;
  readonly #ingester: EventIngester;
  readonly #scheduler: Scheduler;
  readonly #reconciler: Reconciler;
  readonly #settling = new Set<Promise<void>>();
  #closed: Promise<void> | undefined;

  /** @internal */
  constructor(options: Omit<PlatformOptions, 'record'>, record: PlatformRecord, store: ObjectStore) {
    const { redisUrl, warn = warnOnStderr } = options;
    const patience = timings(options.timings);
    const { window } = queueSettings(options.queue);
    const keys = new RedisKeys(options.prefix);
    this.#record = record;
    this.#warn = warn;
    this.#redis = connectRedis({ redisUrl, connectionName: 'record', warn });
    const blockingRedis = connectRedis({ redisUrl, connectionName: 'record:events', warn });
    const redis = this.#redis;
    this.#queues = {
      experiment: new JobQueue(redis, keys, 'experiment', warn),
      dataset: new JobQueue(redis, keys, 'dataset', warn),
    };
    const queues = this.#queues;
    const writer = new LifeWriter(record, (committed) => this.#onCommitted(committed));
    this.#live = new LiveEvents(record, warn);
    this.#endings = new Endings(writer, store);
    const endings = this.#endings;
    this.#ingester = new EventIngester({ record, writer, blockingRedis, redis, keys, warn });
    const ingester = this.#ingester;
    this.#scheduler = new Scheduler({ record, writer, queues, redis, store, window, warn });
    const scheduler = this.#scheduler;
    this.#reconciler = new Reconciler({
      record,
      writer,
      store,
      queues,
      redis,
      keys,
      ingester,
      endings,
      scheduler,
      timings: patience,
      warn,
    });
    this.experiments = new Experiments({
      record,
      writer,
      endings,
      live: this.#live,
      programs: options.programs,
      redis,
      keys,
    });
    const retry = options.datasetRetry ?? RetryBudget.parse({});
    this.datasets = new Datasets({ record, writer, converters: options.converters, retry });
  }

  /** @internal */
  async start(): Promise<void> {
    await this.#ingester.start();
    this.#reconciler.start();
  }

  /** How many worker events met which fate since the start. */
  get eventCounts(): IngestCounts {
    return this.#ingester.counts;
  }

  /** Asks the record and Redis whether they answer. */
  async health(): Promise<PlatformHealth> {
    const record = await this.#record.db
      .selectFrom('ingestCursors')
      .select('stream')
      .execute()
      .then(
        () => true,
        () => false,
      );
    return { record, redis: this.#redis.status === 'ready', events: this.#ingester.isFlowing };
  }

  /** Stops everything and closes the record. Nothing that was acknowledged is lost. */
  async close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #closeAll(): Promise<void> {
    this.#live.close();
    const stopping = [this.#ingester.close(), this.#reconciler.close(), this.#scheduler.close()];
    // What waits for a Redis that is away ends with the connection.
    if (this.#redis.status !== 'ready') disconnectRedis(this.#redis);
    await Promise.all(stopping);
    await Promise.all(this.#settling);
    for (const kind of Kind.options) await this.#queues[kind].close();
    disconnectRedis(this.#redis);
    await this.#record.close();
  }

  #onCommitted(committed: Committed): void {
    if (committed.moved) this.#scheduler.kick();
    for (const id of committed.decided) {
      const settling = this.#endings
        .settle(id)
        .catch((error: unknown) => this.#warn(`Ending ${id} failed: ${String(error)}; the reconciler tries again`))
        .finally(() => this.#settling.delete(settling));
      this.#settling.add(settling);
    }
  }
}
