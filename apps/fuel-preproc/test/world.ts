import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DatasetSpec, type DatasetView } from '@longrun/contracts';
import { type Platform, startPlatform } from '@longrun/platform';
import { isRunning, ProcessUnderTest, RedisServer, until } from '@longrun/platform/testing';
import { type ObjectStore, openObjectStore } from '@longrun/serialization';

const heartbeatMs = 100;

/** A platform with its Redis, record and object store, raw files, and real worker processes. */
export class World {
  readonly #workers: ProcessUnderTest[] = [];

  private constructor(
    readonly folder: string,
    readonly redis: RedisServer,
    readonly store: ObjectStore,
    readonly platform: Platform,
  ) {}

  static async start(): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'longrun-preproc-'));
    const redis = await RedisServer.start();
    const store = await openObjectStore(pathToFileURL(join(folder, 'objects')).href);
    const platform = await startPlatform({
      record: { folder: join(folder, 'record') },
      redisUrl: redis.url,
      objectStoreUrl: store.url,
      programs: { has: () => false, names: () => [], validate: (_name, params) => ({ ok: true, value: params }) },
      timings: { heartbeatMs, workerLostAfterMs: 1500, reconcileEveryMs: 100 },
      queue: { lockDurationMs: 4000, lockRenewMs: 500, stalledCheckMs: 500, retryDelayMs: 50 },
      datasetRetry: { maxFailures: 1, backoffMs: 10, maxPreemptions: null },
      warn: () => {},
    });
    return new World(folder, redis, store, platform);
  }

  get rawFolder(): string {
    return join(this.folder, 'raw');
  }

  get stateFolder(): string {
    return join(this.folder, 'state');
  }

  /** The worker that runs, or else a new one, once it is ready. */
  async worker(): Promise<ProcessUnderTest> {
    const running = this.#workers.find(({ pid }) => isRunning(pid));
    if (running !== undefined) return running;
    const worker = new ProcessUnderTest(fileURLToPath(new URL('../dist/main.js', import.meta.url)), {
      REDIS_URL: this.redis.url,
      LONGRUN_STATE: this.stateFolder,
      LONGRUN_OBJECTS: this.store.url,
      LONGRUN_RAW: this.rawFolder,
      LONGRUN_HEARTBEAT_MS: String(heartbeatMs),
    });
    this.#workers.push(worker);
    await until(
      () => worker.lines.some((line) => line.startsWith('fuel-preproc: ready')),
      () => worker.output,
    );
    return worker;
  }

  /** Asks for a dataset of the raw files in a folder. */
  async submit(name: string, folder: string, converter = 'mnist'): Promise<string> {
    const spec = DatasetSpec.parse({ name, converter, source: { folder } });
    return (await this.platform.datasets.submit(spec)).dataset.id;
  }

  /** Waits until a dataset is as wanted. */
  async when(id: string, wanted: (dataset: DatasetView) => boolean): Promise<DatasetView> {
    let dataset = await this.platform.datasets.get(id);
    await until(
      async () => wanted((dataset = await this.platform.datasets.get(id))),
      () => `${JSON.stringify(dataset, null, 1)}\n${this.#workers.map((worker) => worker.output).join('\n---\n')}`,
    );
    return dataset;
  }

  async whenEnded(id: string): Promise<DatasetView> {
    return await this.when(id, ({ status }) => status === 'ready' || status === 'failed');
  }

  /** Keys of all published files. */
  async published(): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of this.store.list('datasets/files/')) keys.push(key);
    return keys;
  }

  /** What workers have left in their state folder, scratch folders' owners aside. */
  async leftovers(): Promise<string[]> {
    const names = await readdir(this.stateFolder, { recursive: true, withFileTypes: true });
    return names.filter((entry) => entry.isFile() && entry.name !== 'owner').map((entry) => entry.name);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.end()));
    await this.platform.close();
    await this.redis.stop();
    await rm(this.folder, { recursive: true });
  }
}
