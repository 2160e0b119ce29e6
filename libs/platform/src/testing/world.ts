import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { DatasetView, ExperimentView } from '@longrun/contracts';
import { type ObjectStore, openObjectStore } from '@longrun/serialization';

import { type Platform, type PlatformOptions, startPlatform } from '../platform.js';
import { isRunning, ProcessUnderTest } from './process-under-test.js';
import { RedisServer } from './redis-server.js';
import { anyProgram } from './any-program.js';
import { until } from './until.js';

/** What a {@link World} is made of. */
export interface WorldParts {
  readonly folder: string;
  readonly redis: RedisServer;
  readonly store: ObjectStore;
}

/** A platform with a Redis and an object store of its own, and the processes that a test starts beside it. */
export class World {
  readonly folder: string;
  readonly redis: RedisServer;
  readonly store: ObjectStore;
  readonly #processes: ProcessUnderTest[] = [];
  #platform: Platform | undefined;

  constructor(parts: WorldParts) {
    this.folder = parts.folder;
    this.redis = parts.redis;
    this.store = parts.store;
  }

  /** Parts that nobody else has, in a temporary folder; {@link end} takes them away. */
  static async parts(): Promise<WorldParts> {
    const folder = await mkdtemp(join(tmpdir(), 'longrun-world-'));
    const redis = await RedisServer.start();
    const store = await openObjectStore(pathToFileURL(join(folder, 'objects')).href);
    return { folder, redis, store };
  }

  get platform(): Platform {
    if (this.#platform === undefined) throw new Error('The platform is not started');
    return this.#platform;
  }

  /** Starts the platform on this world's Redis and store, with a record in its folder unless `starting` has another. */
  async start(
    options: Partial<PlatformOptions>,
    starting: (options: PlatformOptions) => Promise<Platform> = startPlatform,
  ): Promise<Platform> {
    this.#platform = await starting({
      record: { folder: join(this.folder, 'record') },
      redisUrl: this.redis.url,
      objectStoreUrl: this.store.url,
      programHost: anyProgram,
      warn: () => undefined,
      ...options,
    });
    return this.#platform;
  }

  /** Waits until an experiment is as wanted. */
  async when(id: string, wanted: (experiment: ExperimentView) => boolean): Promise<ExperimentView> {
    return await this.#when(async () => await this.platform.experiments.get(id), wanted);
  }

  /** Waits until a dataset is as wanted. */
  async whenDataset(id: string, wanted: (dataset: DatasetView) => boolean): Promise<DatasetView> {
    return await this.#when(async () => await this.platform.datasets.get(id), wanted);
  }

  /** Starts a built module as a process that ends with this world; `before` is a command that starts it. */
  spawn(
    script: string,
    environment: Readonly<Record<string, string>>,
    before: readonly string[] = [],
  ): ProcessUnderTest {
    const started = new ProcessUnderTest(script, environment, before);
    this.#processes.push(started);
    return started;
  }

  /** A process that was started here and still runs. */
  running(): ProcessUnderTest | undefined {
    return this.#processes.find(({ pid }) => isRunning(pid));
  }

  /** Ends all processes that were started here. */
  async endProcesses(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((started) => started.end()));
  }

  /** Ends the processes and closes the platform; Redis and the folder stay. */
  async close(): Promise<void> {
    await this.endProcesses();
    await this.#platform?.close();
  }

  /** Closes it, and takes its parts away. */
  async end(): Promise<void> {
    await this.close();
    await this.redis.stop();
    // What was begun in the object store before it closed may come to its end only now.
    await rm(this.folder, { recursive: true, maxRetries: 20, retryDelay: 100 });
  }

  async #when<T>(look: () => Promise<T>, wanted: (seen: T) => boolean): Promise<T> {
    let seen = await look();
    await until(
      async () => wanted((seen = await look())),
      () => [JSON.stringify(seen, null, 1), ...this.#processes.map(({ output }) => output)].join('\n---\n'),
    );
    return seen;
  }
}
