import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DatasetSpec, type DatasetView } from '@longrun/contracts';
import { type ProcessUnderTest, until, World as PlatformWorld } from '@longrun/platform/testing';

const HEARTBEAT_MS = 100;

/** A platform with its Redis, record and object store, raw files, and real worker processes. */
export class World extends PlatformWorld {
  static async begin(): Promise<World> {
    const world = new World(await PlatformWorld.parts());
    await world.start({
      timings: { heartbeatMs: HEARTBEAT_MS, workerLostAfterMs: 8_000, reconcileEveryMs: 100 },
      queue: { lockDurationMs: 8_000, lockRenewMs: 500, stalledCheckMs: 500, retryDelayMs: 50 },
      datasetRetry: { maxFailures: 1, backoffMs: 10, maxPreemptions: null, maxLosses: 3 },
    });
    return world;
  }

  get rawFolder(): string {
    return join(this.folder, 'raw');
  }

  get stateFolder(): string {
    return join(this.folder, 'state');
  }

  /** The worker that runs, or else a new one, once it is ready. */
  async worker(): Promise<ProcessUnderTest> {
    const running = this.running();
    if (running !== undefined) return running;
    const worker = this.unreadyWorker();
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
      ...environment,
    });
  }

  /** Asks for a dataset of the raw files in a folder. */
  async submit(name: string, folder: string, converter = 'mnist'): Promise<string> {
    const spec = DatasetSpec.parse({ name, converter, source: { folder } });
    return (await this.platform.datasets.submit(spec)).dataset.id;
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
