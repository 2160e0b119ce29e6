import { RetryBudget } from '@longrun/contracts';
import { type ObjectStore, openObjectStore } from '@longrun/serialization';
import type { Redis } from 'ioredis';

import { Controller } from './controller/controller.js';
import { defaultLeadershipTimings, type LeadershipTimings, leaderOf } from './controller/leadership.js';
import { LiveEvents } from './life/live-events.js';
import { LifeWriter } from './life/writer.js';
import { queueSettings, type QueueSettingsInput } from './queue/queue-settings.js';
import { openRecord, type PlatformRecord, type RecordLocation } from './record/record.js';
import { connectRedis, disconnectRedis, type Warn, warnOnStderr } from './redis/connection.js';
import { RedisKeys } from './redis/keys.js';
import { checkRedis, type RedisVerdict } from './redis/redis-check.js';
import { Checkpoints } from './requests/checkpoints.js';
import { Comparisons } from './requests/comparisons.js';
import type { KnownConverter } from './requests/known-converter.js';
import { Datasets } from './requests/datasets.js';
import { expireExperiment } from './requests/delete-experiment.js';
import { Experiments } from './requests/experiments.js';
import { Metrics } from './requests/metrics.js';
import type { ProgramHost } from './requests/program-host.js';
import { Programs } from './requests/programs.js';
import { HyperparameterSettings } from './requests/hyperparameter-settings.js';
import { Verbs } from './requests/verbs.js';
import { Workers } from './requests/workers.js';
import { Endings } from './systems/endings.js';
import { LogCompletion } from './systems/log-completion.js';
import { type IngestCounts, noEvents } from './systems/event-ingester.js';
import { timings, type TimingsInput } from './timings.js';

/** What a process does: serve requests (`api`), also act by itself when it leads (`all`), or nothing but that (`controller`). */
export type PlatformRole = 'all' | 'api' | 'controller';

export interface PlatformOptions {
  /** Default `all`. */
  readonly role?: PlatformRole;
  /** Where the record is. */
  readonly record: RecordLocation;
  /** `redis://host:port`. It may be away at the start, and at any time after. */
  readonly redisUrl: string;
  /** `file:/absolute/folder`. */
  readonly objectStoreUrl: string;
  /** Runs the programs that are published, to see what they take. */
  readonly programHost: ProgramHost;
  /** The converters that datasets may name. Default: every name passes, and the worker refuses unknown ones. */
  readonly converters?: readonly KnownConverter[];
  /** Prefix of all names in Redis. Default `longrun`. */
  readonly prefix?: string;
  readonly timings?: TimingsInput;
  /** How leadership passes from one process to another. */
  readonly leadership?: Partial<LeadershipTimings>;
  readonly queue?: QueueSettingsInput;
  /** How often a conversion is tried again. Default as for experiments. */
  readonly datasetRetry?: RetryBudget;
  /** How many days experiments are kept after their end: older ones are deleted, but for those that a user could not delete, such as ones with a pinned checkpoint. Default: for ever. */
  readonly keepExperimentsDays?: number;
  /** Told what went wrong and is being tried again. Default: a line on standard error. */
  readonly warn?: Warn;
  /** Told, during the start, what is done now. */
  readonly onStage?: (stage: string) => void;
}

/** What works and what does not, right now. */
export interface PlatformHealth {
  readonly record: boolean;
  readonly redis: RedisVerdict;
  /** Some process on this record leads. */
  readonly controller: boolean;
  /** It takes in workers' events. */
  readonly events: boolean;
}

/** Opens the record and starts what looks after experiments and datasets. Any number on one PostgreSQL: one of them leads. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  return startOn(await openRecord(options.record, options), options);
}

/** Starts on a record that is open. It closes the record with the platform, or at once when it cannot start. */
export async function startOn(record: PlatformRecord, options: Omit<PlatformOptions, 'record'>): Promise<Platform> {
  let platform: Platform;
  try {
    options.onStage?.('opening the object store');
    const { objectStoreUrl, warn = warnOnStderr } = options;
    platform = new Platform(options, record, await openObjectStore(objectStoreUrl, { onNote: warn }));
  } catch (error) {
    await record.close();
    throw error;
  }
  platform.start();
  return platform;
}

/** The life of experiments and datasets, wired together. Get one from {@link startPlatform}. */
export class Platform {
  readonly experiments: Experiments;
  readonly metrics: Metrics;
  readonly checkpoints: Checkpoints;
  readonly comparisons: Comparisons;
  readonly datasets: Datasets;
  readonly programs: Programs;
  readonly verbs: Verbs;
  readonly hyperparameters: HyperparameterSettings;
  readonly workers: Workers;
  readonly #record: PlatformRecord;
  readonly #redis: Redis;
  readonly #keys: RedisKeys;
  readonly #live: LiveEvents;
  readonly #controller: Controller | undefined;
  readonly #leadership: LeadershipTimings;
  #closed: Promise<void> | undefined;

  /** @internal */
  constructor(options: Omit<PlatformOptions, 'record'>, record: PlatformRecord, store: ObjectStore) {
    const { redisUrl, warn = warnOnStderr, role = 'all' } = options;
    const patience = timings(options.timings);
    const { window } = queueSettings(options.queue);
    const keys = new RedisKeys(options.prefix);
    const redis = connectRedis({ redisUrl, connectionName: 'record', warn });
    this.#record = record;
    this.#redis = redis;
    this.#keys = keys;
    this.#leadership = { ...defaultLeadershipTimings, ...options.leadership };
    this.#live = new LiveEvents(record, warn);
    this.#controller =
      role === 'api'
        ? undefined
        : new Controller({
            record,
            store,
            redisUrl,
            redis,
            keys,
            timings: patience,
            leadership: this.#leadership,
            keepDays: options.keepExperimentsDays,
            expire: async (ended, guarded) => await expireExperiment({ record, store, writer: guarded }, ended),
            window,
            warn,
          });
    const writer = new LifeWriter(record);
    const logs = new LogCompletion({ record, writer, store });
    const endings = new Endings({ writer, store, logs, catchUp: undefined, warn });
    const { programHost: host } = options;
    const programs = new Programs({ record, store, host });
    this.programs = programs;
    this.experiments = new Experiments({
      record,
      store,
      writer,
      endings,
      live: this.#live,
      programs,
      host,
      redis,
      keys,
    });
    this.metrics = new Metrics({ record });
    this.verbs = new Verbs({ record, store, writer, redis, keys, endings, experiments: this.experiments });
    const { experiments } = this;
    this.hyperparameters = new HyperparameterSettings({ record, writer, redis, keys, programs, host, experiments });
    this.checkpoints = new Checkpoints({ record, store });
    this.comparisons = new Comparisons({ record, store, experiments: this.experiments });
    const retry = options.datasetRetry ?? RetryBudget.parse({});
    this.datasets = new Datasets({
      record,
      store,
      writer,
      endings,
      redis,
      keys,
      converters: options.converters,
      retry,
    });
    this.workers = new Workers({ record, redis, keys });
  }

  /** @internal */
  start(): void {
    this.#controller?.start();
  }

  /** How many worker events met which fate since this process leads; none where it never does. */
  get eventCounts(): IngestCounts {
    return this.#controller?.eventCounts ?? noEvents;
  }

  /** Asks the record and Redis whether they serve, within `timeoutMs`, and whether some process leads. */
  async health(timeoutMs = 2_000): Promise<PlatformHealth> {
    const [leader, redis] = await Promise.all([
      leaderOf(this.#record.db, this.#leadership).catch(() => undefined),
      checkRedis(this.#redis, this.#keys, timeoutMs),
    ]);
    return {
      record: leader !== undefined,
      redis,
      controller: leader?.alive ?? false,
      events: leader?.flowing ?? false,
    };
  }

  /** Stops everything and closes the record. Nothing that was acknowledged is lost. */
  async close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #closeAll(): Promise<void> {
    this.#live.close();
    // What waits for a Redis that is away ends with the connection.
    if (this.#redis.status !== 'ready') disconnectRedis(this.#redis);
    await this.#controller?.close();
    disconnectRedis(this.#redis);
    await this.#record.close();
  }
}
