import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { DatasetSpec, ExperimentSpec, type ExperimentSpecInput, readValue } from '@longrun/contracts';
import { acquireLease, type Lease, openObjectStore } from '@longrun/serialization';
import { sql } from 'kysely';
import { test as base } from 'vitest';
import { z } from 'zod';

import { type Platform, type PlatformOptions, type ProgramHost, startPlatform, WorkerLink } from '../src/index.js';
import { startOn } from '../src/platform.js';
import { leasePrefix } from '../src/life/outcome.js';
import { openRecord, PlatformRecord } from '../src/record/record.js';
import { publishModule, RedisServer, until, World as PlatformWorld, type WorldParts } from '../src/testing/index.js';
import { ScriptedWorker } from './scripted-worker.js';

/** How patient the platform is in tests that lose no worker: a busy machine must not lose one for them. */
const timings = { heartbeatMs: 100, workerLostAfterMs: 20_000, reconcileEveryMs: 300 };
/** And in those that do. */
export const impatient = { timings: { ...timings, workerLostAfterMs: 3_000 } };

const queue = { lockDurationMs: 10_000, lockRenewMs: 300, stalledCheckMs: 500, retryDelayMs: 50 };

/** A platform with a Redis, a record and an object store of its own, and workers to order. */
export class World extends PlatformWorld {
  /** What the platform and the workers warned of. */
  readonly warnings: string[] = [];
  readonly #workers: ScriptedWorker[] = [];
  readonly #warn = (sentence: string): void => void this.warnings.push(sentence);
  readonly prefix: string;
  readonly record: PlatformRecord;

  constructor(parts: WorldParts, prefix: string, record: PlatformRecord) {
    super(parts);
    this.prefix = prefix;
    this.record = record;
  }

  /** Starts the platform with a program `mlp`: on the file's record, emptied, or on one of its own. */
  override async start(overrides: Partial<PlatformOptions> = {}): Promise<Platform> {
    const shared = new PlatformRecord(this.record.db, this.record.notices, () => Promise.resolve(), true);
    const platform = await super.start(
      {
        prefix: this.prefix,
        programHost: mlp,
        converters: [
          ...['mnist', 'fashion-mnist'].map((name) => ({ name, params: z.strictObject({}) })),
          { name: 'silhouettes', params: z.strictObject({ size: z.literal([16, 28]).default(28) }) },
        ].map((converter) => ({ ...converter, version: 1, pinsDownloads: () => true })),
        timings,
        queue,
        warn: this.#warn,
        ...overrides,
      },
      overrides.record === undefined ? async (options) => await startOn(shared, options) : startPlatform,
    );
    await publishModule(platform, 'mlp', 'the module of mlp');
    return platform;
  }

  /** A worker with a connection of its own, which holds what it takes until the test says what to do. */
  worker(name: string, kind: 'experiment' | 'dataset' = 'experiment'): ScriptedWorker {
    const link = new WorkerLink({
      redisUrl: this.redis.url,
      workerId: name,
      prefix: this.prefix,
      queue,
      checkEveryMs: 50,
      warn: this.#warn,
    });
    const worker = new ScriptedWorker(link, this.store, kind, timings.heartbeatMs);
    this.#workers.push(worker);
    return worker;
  }

  /** Submits a dataset and converts it, in the hands of the test. */
  async readyDataset(name = 'digits'): Promise<string> {
    const { dataset } = await this.platform.datasets.submit(DatasetSpec.parse({ name, converter: 'mnist' }));
    const attempt = await this.worker(`preproc-${name}`, 'dataset').next();
    await attempt.publish(Buffer.from(`bytes of ${name}`));
    await until(async () => (await this.platform.datasets.get(dataset.id)).status === 'ready');
    return dataset.id;
  }

  /** Takes a lease as some process that says nothing more. */
  async claimAs(holder: string, id: string, fence: number): Promise<Lease> {
    return acquireLease(this.store, leasePrefix('experiment', id), { fence, holder });
  }

  async submit(spec: Partial<ExperimentSpecInput> = {}): Promise<string> {
    const { experiment } = await this.platform.experiments.submit(experimentSpec(spec));
    return experiment.id;
  }

  override async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
    await super.close();
  }
}

/** A test with a {@link World}, whose platform is not started yet. One Redis for each file. */
export const test = base.extend<{ world: World; redis: RedisServer; record: PlatformRecord }>({
  redis: [
    // oxlint-disable-next-line no-empty-pattern -- vitest reads the fixtures wanted from the pattern
    async ({}, use) => {
      const server = await RedisServer.start();
      await use(server);
      await server.stop();
    },
    { scope: 'file' },
  ],
  record: [
    // oxlint-disable-next-line no-empty-pattern -- as above
    async ({}, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'longrun-record-'));
      const record = await openRecord({ folder });
      await use(record);
      await record.close();
      await rm(folder, { recursive: true });
    },
    { scope: 'file' },
  ],
  world: async ({ redis, record }, use) => {
    await sql`truncate lives, programs, ingest_cursors, workers, audit cascade`.execute(record.db);
    const folder = await mkdtemp(join(tmpdir(), 'longrun-world-'));
    const store = await openObjectStore(pathToFileURL(join(folder, 'objects')).href);
    const world = new World({ folder, redis, store }, `test-${folder.slice(-6)}`, record);
    await use(world);
    await world.close();
    // What was begun in the object store before it closed may come to its end only now.
    await rm(folder, { recursive: true, maxRetries: 20, retryDelay: 100 });
  },
});

/** A spec with what it must have. */
export function experimentSpec(spec: Partial<ExperimentSpecInput> = {}): ExperimentSpec {
  const dataset = spec.datasets === undefined ? { dataset: 'digits' } : {};
  return ExperimentSpec.parse({ program: 'mlp', params: { dims: [4, 2] }, ...dataset, ...spec });
}

const MlpParams = z.strictObject({ dims: z.array(z.int().min(1)).min(2), batchSize: z.int().min(1).default(128) });

const mlp: ProgramHost = {
  inspect: () => ({ description: 'A stack of layers.', params: { type: 'object' } }),
  validate: (_program, params) => readValue(MlpParams, params),
};
