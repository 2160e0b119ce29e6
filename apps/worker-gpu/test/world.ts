import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  DatasetSpec,
  ExperimentSpec,
  type ExperimentSpecInput,
  type ExperimentView,
  type LiveEvent,
  type StoredLogRow,
} from '@longrun/contracts';
import { type Platform, startPlatform } from '@longrun/platform';
import { isRunning, ProcessUnderTest, RedisServer, until } from '@longrun/platform/testing';
import { JobWorker, WorkerLink } from '@longrun/platform/worker';
import { type Head, type ObjectStore, openObjectStore, readHead } from '@longrun/serialization';
import { PublishFile, writeDigits } from './dataset.js';

const heartbeatMs = 100;

/** A platform with its Redis, record and object store, a small dataset, and real worker processes. */
export class World {
  readonly #workers: ProcessUnderTest[] = [];

  private constructor(
    readonly folder: string,
    readonly redis: RedisServer,
    readonly store: ObjectStore,
    readonly platform: Platform,
  ) {}

  static async start(): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'longrun-worker-'));
    const redis = await RedisServer.start();
    const store = await openObjectStore(pathToFileURL(join(folder, 'objects')).href);
    const platform = await startPlatform({
      record: { folder: join(folder, 'record') },
      redisUrl: redis.url,
      objectStoreUrl: store.url,
      programs: {
        has: () => true,
        names: () => ['digits'],
        validate: (_name, params) => ({ ok: true, value: params }),
      },
      // A busy machine can keep a healthy worker from its processor for a while.
      timings: { heartbeatMs, workerLostAfterMs: 1500, reconcileEveryMs: 100 },
      queue: { lockDurationMs: 4000, lockRenewMs: 500, stalledCheckMs: 500, retryDelayMs: 50 },
      warn: () => {},
    });
    const world = new World(folder, redis, store, platform);
    await world.#publishDigits();
    return world;
  }

  /** The worker that runs, or else a new one, once it is ready. */
  async worker(): Promise<ProcessUnderTest> {
    return this.#workers.find(({ pid }) => isRunning(pid)) ?? (await this.newWorker());
  }

  /** A new worker, once it is ready. Workers started one after the other share their caches. */
  async newWorker(environment: Readonly<Record<string, string>> = {}): Promise<ProcessUnderTest> {
    const worker = this.unreadyWorker(environment);
    await until(
      () => worker.lines.some((line) => line.startsWith('worker-gpu: ready')),
      () => worker.output,
    );
    return worker;
  }

  /** Starts a worker that may never be ready. */
  unreadyWorker(environment: Readonly<Record<string, string>> = {}): ProcessUnderTest {
    const worker = new ProcessUnderTest(fileURLToPath(new URL('../dist/main.js', import.meta.url)), {
      REDIS_URL: this.redis.url,
      LONGRUN_STATE: join(this.folder, 'state'),
      LONGRUN_OBJECTS: this.store.url,
      LONGRUN_PROGRAMS: fileURLToPath(new URL('programs', import.meta.url)),
      LONGRUN_HEARTBEAT_MS: String(heartbeatMs),
      ...environment,
    });
    this.#workers.push(worker);
    return worker;
  }

  async submit(params: ExperimentSpecInput['params'] = {}, spec: Partial<ExperimentSpecInput> = {}): Promise<string> {
    const complete = ExperimentSpec.parse({
      program: 'digits',
      dataset: 'digits',
      seed: 5,
      params,
      checkpoint: { everyBatches: 7 },
      retry: { backoffMs: 10 },
      resources: { threads: 1 },
      ...spec,
    });
    return (await this.platform.experiments.submit(complete)).experiment.id;
  }

  /** Waits until an experiment is as wanted. */
  async when(id: string, wanted: (experiment: ExperimentView) => boolean): Promise<ExperimentView> {
    let experiment = await this.platform.experiments.get(id);
    await until(
      async () => wanted((experiment = await this.platform.experiments.get(id))),
      () => `${JSON.stringify(experiment, null, 1)}\n${this.#workers.map((worker) => worker.output).join('\n---\n')}`,
    );
    return experiment;
  }

  async whenEnded(id: string): Promise<ExperimentView> {
    return await this.when(id, ({ status }) => status !== 'queued' && status !== 'running');
  }

  /** Waits until the log has a row of this step or a later one. */
  async whenLogged(id: string, step: number): Promise<void> {
    await until(
      async () => (await this.rows(id)).some((row) => row.step >= step),
      () => `no row of step ${step}\n${this.#workers.map((worker) => worker.output).join('\n---\n')}`,
    );
  }

  async rows(id: string): Promise<StoredLogRow[]> {
    return await this.platform.experiments.logRows(id);
  }

  /** All stored events of an experiment that has ended. */
  async events(id: string): Promise<LiveEvent[]> {
    const events: LiveEvent[] = [];
    for await (const event of this.platform.experiments.subscribe(id)) events.push(event);
    return events;
  }

  async head(id: string): Promise<Head> {
    const head = await readHead(this.store, `experiments/${id}`);
    if (head === undefined) throw new Error(`${id} has no head`);
    return head;
  }

  /** Ends all workers, so that the next experiment finds only those that its test starts. */
  async endWorkers(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((worker) => worker.end()));
  }

  async close(): Promise<void> {
    await this.endWorkers();
    await this.platform.close();
    await this.redis.stop();
    await rm(this.folder, { recursive: true });
  }

  async #publishDigits(): Promise<void> {
    const path = join(this.folder, 'digits.hdf5');
    await writeDigits(path);
    const link = new WorkerLink({ redisUrl: this.redis.url, workerId: 'publisher' });
    const publisher = new JobWorker({
      kind: 'dataset',
      link,
      store: this.store,
      scratchFolder: join(this.folder, 'publisher'),
      heartbeatMs,
      graceMs: 1000,
      work: (attempt) => new PublishFile(attempt, path),
      report: () => {},
    });
    await publisher.start();
    const spec = DatasetSpec.parse({ name: 'digits', converter: 'mnist' });
    const { dataset } = await this.platform.datasets.submit(spec);
    await until(async () => (await this.platform.datasets.get(dataset.id)).status === 'ready');
    await publisher.stop();
    link.close();
  }
}
