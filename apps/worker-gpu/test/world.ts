import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  DatasetSpec,
  ExperimentSpec,
  type ExperimentSpecInput,
  type ExperimentView,
  isTerminal,
  type LiveEvent,
  type StoredLogRow,
} from '@longrun/contracts';
import type { Platform } from '@longrun/platform';
import { bundleProgram } from '@longrun/platform/programs';
import { type ProcessUnderTest, publishModule, until, World as PlatformWorld } from '@longrun/platform/testing';
import { FileCache, Isolation, JobWorker, WorkerLink, type WorkerLinkOptions } from '@longrun/platform/worker';
import { type Head, type LogEntry, newestManifest, type ObjectStore, readHead, readLog } from '@longrun/serialization';
import { ExperimentWork } from '../src/supervisor/experiment-work.js';
import { Secrets } from '../src/supervisor/secrets.js';
import { Trainers } from '../src/supervisor/trainers.js';
import { PublishFile, writeDigits } from './dataset.js';

const HEARTBEAT_MS = 200;
/** Too short for a worker on a busy machine, long enough for one that has ended. */
const SILENCE_MS = 1_000;
const PROGRAMS_FOLDER = fileURLToPath(new URL('programs', import.meta.url));
/** What programs import of this checkout. */
export const LIBRARIES = fileURLToPath(new URL('../../../node_modules/@longrun', import.meta.url));

/** How a worker is started where it is not as always. */
export interface WorkerStart {
  /** Its main module, built. */
  readonly script?: string;
  /** A command that starts it. */
  readonly before?: readonly string[];
}

/** How a worker of this process is unlike others. */
export interface LocalWorkerOptions extends Pick<WorkerLinkOptions, 'workerId' | 'outbox' | 'checkEveryMs'> {
  /** Default: that of the world. */
  readonly store?: ObjectStore;
  /** How long its attempts may take to end in good order, in ms. Default 5000. */
  readonly graceMs?: number;
  /** The clock of its wall time, in ms. Default: as always. */
  readonly now?: () => number;
  /** What programs import. Default: {@link LIBRARIES}. */
  readonly libraries?: string;
  /** Told what it says. */
  readonly report?: (sentence: string) => void;
}

/** A platform with its Redis, record and object store, two small datasets `digits` and `others`, programs, and real worker processes. */
export class World extends PlatformWorld {
  /** @param workerLostAfterMs how long a worker may be silent */
  static async begin(workerLostAfterMs?: number): Promise<World> {
    const world = new World(await PlatformWorld.parts());
    await world.startAgain(workerLostAfterMs);
    await world.#publish('digits', 'others');
    for (const file of await readdir(PROGRAMS_FOLDER)) await world.publishProgram(basename(file, '.js'));
    return world;
  }

  /**
   * Starts the platform on what is there, as after a crash of the API.
   *
   * @param workerLostAfterMs its patience with silent workers. A busy machine can keep a healthy one from its processor for a while; of one
   *   that has ended the closed connection tells at once
   */
  async startAgain(workerLostAfterMs = 120_000): Promise<Platform> {
    return await this.start({
      timings: { heartbeatMs: HEARTBEAT_MS, workerLostAfterMs, reconcileEveryMs: 400 },
      queue: { lockDurationMs: 8_000, lockRenewMs: 500, stalledCheckMs: 500, retryDelayMs: 50 },
    });
  }

  /**
   * Has the platform miss the worker of an experiment by its silence alone: it starts again, and has little patience until the attempt is
   * written off. No worker may be at work meanwhile.
   */
  async missWorkerOf(id: string): Promise<void> {
    await this.platform.close();
    await this.startAgain(SILENCE_MS);
    await this.when(id, ({ attempts }) => attempts.some(({ reason }) => reason === 'worker_lost'));
    await this.platform.close();
    await this.startAgain();
  }

  /** The worker that runs, or else a new one, once it is ready. */
  async worker(): Promise<ProcessUnderTest> {
    return this.running() ?? (await this.newWorker());
  }

  /** A new worker, once it is ready. Workers started one after the other share their caches. */
  async newWorker(
    environment: Readonly<Record<string, string>> = {},
    start: WorkerStart = {},
  ): Promise<ProcessUnderTest> {
    const worker = this.unreadyWorker(environment, start);
    await until(
      () => worker.lines.some((line) => line.startsWith('worker-gpu: ready')),
      () => worker.output,
    );
    return worker;
  }

  /** Starts a worker that may never be ready. */
  unreadyWorker(environment: Readonly<Record<string, string>> = {}, start: WorkerStart = {}): ProcessUnderTest {
    const { script = fileURLToPath(new URL('../dist/bundle/main.js', import.meta.url)), before = [] } = start;
    const variables = {
      REDIS_URL: this.redis.url,
      LONGRUN_STATE: join(this.folder, 'state'),
      LONGRUN_OBJECTS: this.store.url,
      LONGRUN_HEARTBEAT_MS: String(HEARTBEAT_MS),
      // No test is about it, but where it says so.
      LONGRUN_GRACE_MS: '600000',
      LONGRUN_REDIS_WAIT_MS: '300000',
      // Most workers of tests train once.
      LONGRUN_SPARE_TRAINER: 'off',
      ...environment,
    };
    return this.spawn(script, variables, before);
  }

  /** Starts a worker in this process, with trainers of their own. Returns what stops it. */
  async localWorker({
    store,
    report,
    now,
    libraries = LIBRARIES,
    graceMs = 5_000,
    ...link
  }: LocalWorkerOptions): Promise<() => Promise<void>> {
    const workerLink = new WorkerLink({ redisUrl: this.redis.url, ...link });
    const scratchFolder = join(this.folder, 'scratch');
    const cacheFolder = join(this.folder, 'cache');
    const datasetFiles = new FileCache(cacheFolder, { mostBytes: Infinity });
    const programFiles = new FileCache(join(this.folder, 'programs'), { mostBytes: Infinity });
    const checkpointFiles = new FileCache(join(this.folder, 'checkpoints'), { mostBytes: Infinity });
    const trainers = new Trainers({
      script: fileURLToPath(new URL('../dist/trainer.js', import.meta.url)),
      isolation: await Isolation.find({ user: 'worker', stateFolder: this.folder, code: [] }),
      folder: scratchFolder,
      cacheFolder,
      compiledFolder: join(this.folder, 'compiled'),
      memoryLimitBytes: null,
      keepsSpare: false,
      report: (sentence) => report?.(sentence),
    });
    const worker = new JobWorker({
      kind: 'experiment',
      link: workerLink,
      store: store ?? this.store,
      scratchFolder,
      heartbeatMs: HEARTBEAT_MS,
      graceMs,
      work: (attempt) =>
        new ExperimentWork(attempt, {
          datasetFiles,
          checkpointFiles,
          programFiles,
          libraries,
          secrets: new Secrets(join(this.folder, 'state', 'secrets')),
          trainers,
          graceMs,
          ...(now !== undefined && { now }),
        }),
      report: report ?? (() => {}),
    });
    await worker.start();
    return async () => {
      await worker.stop();
      await trainers.close();
      workerLink.close();
    };
  }

  /** Publishes a program of the tests, as the newest of its name. */
  async publishProgram(name: string): Promise<void> {
    const { module } = await bundleProgram(join(PROGRAMS_FOLDER, `${name}.js`));
    await publishModule(this.platform, name, module);
  }

  async submit(params: ExperimentSpecInput['params'] = {}, spec: Partial<ExperimentSpecInput> = {}): Promise<string> {
    const complete = ExperimentSpec.parse({
      program: 'digits',
      ...(spec.datasets === undefined ? { dataset: 'digits' } : {}),
      seed: 5,
      params,
      checkpoint: { everyBatches: 7 },
      retry: { backoffMs: 10 },
      resources: { threads: 1 },
      ...spec,
    });
    return (await this.platform.experiments.submit(complete)).experiment.id;
  }

  async whenEnded(id: string): Promise<ExperimentView> {
    return await this.when(id, ({ status }) => isTerminal(status));
  }

  /** Waits until the log has a row of this step or a later one. */
  async whenLogged(id: string, step: number): Promise<void> {
    await until(
      async () => (await this.rows(id)).some((row) => row.step >= step),
      () => `no row of step ${step}\n${this.running()?.output}`,
    );
  }

  async rows(id: string): Promise<StoredLogRow[]> {
    return (await this.platform.experiments.logPage(id)).items;
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

  /** The step of the newest checkpoint, and the log that it has. */
  async checkpointLog(id: string): Promise<{ readonly step: number; readonly entries: readonly LogEntry[] }> {
    const manifest = await newestManifest(this.store, `experiments/${id}`);
    if (manifest === undefined) throw new Error(`${id} has no checkpoint`);
    const entries: LogEntry[] = [];
    for await (const part of readLog(this.store, manifest)) {
      if (part.lost !== undefined) throw new Error(part.reason);
      entries.push(...part.entries);
    }
    return { step: manifest.step, entries };
  }

  async #publish(...names: readonly string[]): Promise<void> {
    for (const [index, name] of names.entries()) await writeDigits(join(this.folder, `${name}.hdf5`), 7 + index);
    const link = new WorkerLink({ redisUrl: this.redis.url, workerId: 'publisher' });
    const publisher = new JobWorker({
      kind: 'dataset',
      link,
      store: this.store,
      scratchFolder: join(this.folder, 'publisher'),
      heartbeatMs: HEARTBEAT_MS,
      graceMs: 1000,
      work: (attempt) => new PublishFile(attempt, this.folder),
      report: () => {},
    });
    await publisher.start();
    for (const name of names) {
      await this.platform.datasets.submit(DatasetSpec.parse({ name, converter: 'mnist' }));
      await this.whenDataset(name, ({ status }) => status === 'ready');
    }
    await publisher.stop();
    link.close();
  }
}
