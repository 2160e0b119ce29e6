import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DatasetSpec, type DatasetSpecInput, type DatasetView } from '@longrun/contracts';
import { type ProcessUnderTest, until, World as PlatformWorld } from '@longrun/platform/testing';
import { Isolation, JobWorker, WorkerLink } from '@longrun/platform/worker';
import { DatasetWork, type DatasetWorkOptions } from '../src/dataset-work.js';

const HEARTBEAT_MS = 200;
export const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url));

/** How a worker of this process is unlike others. */
export interface LocalWorkerOptions extends Partial<DatasetWorkOptions> {
  readonly workerId: string;
}

/** A worker of this process. */
export interface LocalWorker {
  /** What its converters have caused to be said. */
  readonly lines: readonly string[];
  readonly isolation: Isolation;
  stop(): Promise<void>;
}

/** A platform with its Redis, record and object store, raw files, and real worker processes. */
export class World extends PlatformWorld {
  /** @param workerLostAfterMs Default 120,000: a busy machine can keep a healthy worker from its processor for a while. */
  static async begin({ workerLostAfterMs = 120_000 } = {}): Promise<World> {
    const world = new World(await PlatformWorld.parts());
    await world.start({
      timings: { heartbeatMs: HEARTBEAT_MS, workerLostAfterMs, reconcileEveryMs: 400 },
      queue: { lockDurationMs: 8_000, lockRenewMs: 500, stalledCheckMs: 500, retryDelayMs: 50 },
      datasetRetry: { maxFailures: 1, backoffMs: 10, maxPreemptions: null, maxLosses: 3 },
    });
    return world;
  }

  get rawFolder(): string {
    return join(this.folder, 'raw');
  }

  /** Where a test may put modules that are run as converters. */
  get childrenFolder(): string {
    return join(this.folder, 'children');
  }

  get stateFolder(): string {
    return join(this.folder, 'state');
  }

  /** The worker that runs, or else a new one, once it is ready. */
  async worker(): Promise<ProcessUnderTest> {
    return this.running() ?? (await this.newWorker());
  }

  /** A new worker, once it is ready. */
  async newWorker(environment: Readonly<Record<string, string>> = {}): Promise<ProcessUnderTest> {
    const worker = this.unreadyWorker(environment);
    await until(
      () => worker.lines.some((line) => line.startsWith('fuel-preproc: ready')),
      () => worker.output,
    );
    return worker;
  }

  /** Starts a worker that may never be ready. */
  unreadyWorker(environment: Readonly<Record<string, string>> = {}): ProcessUnderTest {
    return this.spawn(fileURLToPath(new URL('../dist/bundle/main.js', import.meta.url)), {
      REDIS_URL: this.redis.url,
      LONGRUN_STATE: this.stateFolder,
      LONGRUN_OBJECTS: this.store.url,
      LONGRUN_RAW: this.rawFolder,
      LONGRUN_HEARTBEAT_MS: String(HEARTBEAT_MS),
      LONGRUN_REDIS_WAIT_MS: '300000',
      ...environment,
    });
  }

  /** Starts a worker in this process; its converters have a user of their own where that can be had. */
  async localWorker({ workerId, ...work }: LocalWorkerOptions): Promise<LocalWorker> {
    for (const read of [this.rawFolder, this.childrenFolder]) await mkdir(read, { recursive: true });
    const scratchFolder = join(this.folder, 'scratch', workerId);
    const isolation =
      work.isolation ??
      (await Isolation.find({
        user: 'auto',
        stateFolder: this.folder,
        code: [CHECKOUT, this.rawFolder, this.childrenFolder],
      }));
    const lines: string[] = [];
    const link = new WorkerLink({ redisUrl: this.redis.url, workerId });
    const worker = new JobWorker({
      kind: 'dataset',
      link,
      store: this.store,
      scratchFolder,
      heartbeatMs: HEARTBEAT_MS,
      graceMs: 5_000,
      work: (attempt) =>
        new DatasetWork(attempt, {
          rawFolder: this.rawFolder,
          converters: new Map(),
          converterScript: join(CHECKOUT, 'apps', 'fuel-preproc', 'dist', 'converter.js'),
          isolation,
          memoryLimitBytes: null,
          report: (line) => lines.push(line),
          ...work,
        }),
      report: () => {},
    });
    await worker.start();
    const stop = async (): Promise<void> => {
      await worker.stop();
      link.close();
    };
    return { lines, isolation, stop };
  }

  /** Asks for a dataset of the raw files in a folder. */
  async submit(name: string, folder: string, converter = 'mnist'): Promise<string> {
    return await this.ask({ name, converter, source: { folder } });
  }

  /** Asks for a dataset. */
  async ask(spec: DatasetSpecInput): Promise<string> {
    return (await this.platform.datasets.submit(DatasetSpec.parse(spec))).dataset.id;
  }

  async whenEnded(id: string): Promise<DatasetView> {
    return await this.whenDataset(id, ({ status }) => status === 'ready' || status === 'failed');
  }

  /** Keys of all published files. */
  async published(): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of this.store.list('datasets/files/')) keys.push(key);
    return keys;
  }

  /** Waits until workers have nothing in their state folder, scratch folders' owners aside: it goes once the end is said. */
  async whenNothingIsLeft(): Promise<void> {
    let left: string[] = [];
    await until(
      async () => (left = await this.#leftovers()).length === 0,
      () => `left in the state folder: ${left.join(', ')}`,
    );
  }

  async #leftovers(): Promise<string[]> {
    try {
      const entries = await readdir(this.stateFolder, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile() && entry.name !== 'owner').map((entry) => entry.name);
    } catch (error) {
      // A folder that was there has gone while it was looked into.
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ['(a folder that is going)'];
      throw error;
    }
  }
}
