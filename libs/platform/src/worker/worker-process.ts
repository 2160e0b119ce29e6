import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kind, WorkerDevice } from '@longrun/contracts';
import { armFaultPoints, openObjectStore, type ObjectStore } from '@longrun/serialization';
import { type Environment, labels, milliseconds, readVariables, sizeInBytes } from '../configuration/read-variables.js';
import { checkAgainAfterMs } from '../configuration/limits.js';
import { places, variables } from '../configuration/variables.js';
import { patience } from '../processes/patience.js';
import { endLeftovers } from '../processes/process-tree.js';
import { sayStage } from '../stages/stage.js';
import type { Attempt, Work } from './attempt.js';
import { type ChildUserSetting, Isolation } from './isolation.js';
import { JobWorker } from './job-worker.js';
import { logLine } from '../log-line.js';
import { claimScratchFolder } from './scratch-folder.js';
import { checkFolder, checkInChild } from './worker-checks.js';
import { describeWorker, memoryBytes } from './worker-description.js';
import { WorkerLink } from './worker-link.js';

/** What every worker process is told from outside, read from the environment. */
export interface WorkerConfiguration {
  /** REDIS_URL, default redis://127.0.0.1:6379. */
  readonly redisUrl: string;
  /** Prefix of all names in Redis. LONGRUN_REDIS_PREFIX, default `longrun`. */
  readonly redisPrefix: string;
  /** How long to wait for Redis at the start before giving up. LONGRUN_REDIS_WAIT_MS, default 30000. */
  readonly redisWaitMs: number;
  /** Folder of scratch and caches, absolute. LONGRUN_STATE, default ./.longrun. */
  readonly stateFolder: string;
  /** LONGRUN_OBJECTS, default file:<state>/objects. */
  readonly objectsUrl: string;
  /** Pause between two heartbeats. LONGRUN_HEARTBEAT_MS, default 1000. */
  readonly heartbeatMs: number;
  /** Time that a running job gets to end in good order after SIGTERM. LONGRUN_GRACE_MS, default 25000. */
  readonly graceMs: number;
  /** Pause of a quarantined worker before it checks itself again. LONGRUN_CHECK_AGAIN_MS, default 10000. */
  readonly checkAgainAfterMs: number;
  /** What people and experiments may choose workers by. LONGRUN_LABELS, as `gpu=a100,room=2`, default none. */
  readonly labels: Readonly<Record<string, string>>;
  /**
   * Memory that a trainer or a converter and all that it starts may take, in bytes; null for as much as they get. LONGRUN_TRAINER_MEMORY, as
   * `8GiB`, or `unlimited`; default nine tenths of what the machine or the container has.
   */
  readonly trainerMemoryBytes: number | null;
  /** Who trainers and converters run as. LONGRUN_TRAINER_USER: `auto`, `worker`, or a number; default `auto`. */
  readonly trainerUser: ChildUserSetting;
}

export interface WorkerProcessOptions {
  /** Name of the app: of its ready line, its lines and its scratch folder. */
  readonly name: string;
  readonly kind: Kind;
  readonly configuration: WorkerConfiguration;
  /** What attempts compute on. Default: nothing is said of it. */
  readonly devices?: readonly WorkerDevice[];
  /** Providers that they can compute with, by engine. Default: nothing is said of it. */
  readonly engines?: Readonly<Record<string, string[]>>;
  /** What it must be able to do. */
  readonly check: {
    /** A module that calls `runCheck`, absolute; it runs in the scratch folder. */
    readonly script: string;
    /** Folders that must be writable, besides the scratch folder. */
    readonly folders: readonly string[];
  };
  /** What the children of attempts read, absolute, besides what is shared with each: code, raw files. They are there. */
  readonly code: readonly string[];
  /** Makes what makes the work of attempts, before any job is taken. */
  readonly work: (place: WorkPlace) => WorkMaker;
}

/** What a worker process has for the children of its attempts. */
export interface WorkPlace {
  /** Folder of this process alone, which is there. */
  readonly scratchFolder: string;
  /** What keeps children from all that is not theirs. */
  readonly isolation: Isolation;
}

/** Makes the work of one attempt after the other. */
export interface WorkMaker {
  of(attempt: Attempt): Work;
  /** Ends what was kept between attempts. Called once, when no attempt is on. */
  close?(): Promise<void>;
}

/**
 * Runs a worker as this process until SIGTERM or SIGINT, then ends the running job in good order and resolves. Prints one ready line.
 * Rejects with a sentence when Redis or the object store cannot be reached at the start, or Redis cannot be worked with.
 */
export async function runWorkerProcess(options: WorkerProcessOptions): Promise<void> {
  const { name, kind, configuration } = options;
  const stopRequested = nextStopSignal(name);
  const report = (sentence: string): void => void process.stdout.write(logLine(`${name}: ${sentence}`));
  const warn = (sentence: string): void => void process.stderr.write(logLine(`${name}: ${sentence}`));
  armFaultPoints(process.env, warn);

  const isolation = await Isolation.find({
    user: configuration.trainerUser,
    stateFolder: configuration.stateFolder,
    code: options.code,
  });
  report(isolation.sentence);
  report(isolation.memorySentence);
  const stopped = stopRequested.then(() => 'stopped' as const);
  sayStage('opening the object store');
  const store = await Promise.race([openStore(configuration.objectsUrl, report, stopRequested), stopped]);
  if (store === 'stopped') return;
  const leftovers = await endLeftovers();
  if (leftovers > 0) report(`ended ${leftovers} processes that attempts of dead workers had left running`);
  const scratchFolder = await claimScratchFolder(configuration.stateFolder, name, report);
  const workerId = `${name}-${hostname()}-${process.pid}`;
  const link = new WorkerLink({
    redisUrl: configuration.redisUrl,
    workerId,
    warn,
    prefix: configuration.redisPrefix,
  });
  const work = options.work({ scratchFolder, isolation });
  const worker = new JobWorker({
    kind,
    link,
    store,
    scratchFolder,
    heartbeatMs: configuration.heartbeatMs,
    graceMs: configuration.graceMs,
    description: describeWorker({
      labels: configuration.labels,
      devices: [...(options.devices ?? [])],
      ...(options.engines === undefined ? {} : { engines: options.engines }),
    }),
    check: async () => {
      await isolation.endEscaped();
      for (const folder of [scratchFolder, ...options.check.folders]) await checkFolder(folder);
      await checkInChild(options.check.script, scratchFolder);
    },
    checkAgainAfterMs: configuration.checkAgainAfterMs,
    work: (attempt) => work.of(attempt),
    report,
  });
  const reach = async (): Promise<'reached'> => {
    sayStage('checking Redis');
    const redis = await link.checkRedis(configuration.redisWaitMs);
    if (!redis.usable) throw new Error(redis.sentence);
    return 'reached';
  };
  try {
    const reached = await Promise.race([
      reach(),
      stopped,
      patience(configuration.redisWaitMs, { ref: false }).then(() => 'late' as const),
    ]);
    if (reached === 'late')
      throw new Error(
        `Redis at ${withoutPassword(configuration.redisUrl)} could not be reached within ${configuration.redisWaitMs} ms; start it, or set REDIS_URL.`,
      );
    if (reached === 'stopped') return;
    // It checks itself, which takes as long as it takes.
    sayStage('checking itself');
    if ((await Promise.race([worker.start(), stopped])) === 'stopped') return;
    report(`ready as ${workerId}, objects at ${store.url}`);
    const signal = await stopRequested;
    report(`${signal}: taking no more jobs`);
    // A Redis that is away could hold the end of a job for ever.
    await Promise.race([worker.stop(), sleep(configuration.graceMs + AFTER_GRACE_MS, undefined, { ref: false })]);
    report('stopped');
  } finally {
    await work.close?.();
    link.close();
  }
}

/** Reads the configuration; an empty variable counts as absent. Throws ConfigurationError. */
export function readWorkerConfiguration(environment: Environment): WorkerConfiguration {
  const read = readVariables(workerVariables, environment);
  return {
    redisUrl: read.REDIS_URL,
    redisPrefix: read.LONGRUN_REDIS_PREFIX,
    redisWaitMs: read.LONGRUN_REDIS_WAIT_MS,
    ...places(read),
    heartbeatMs: read.LONGRUN_HEARTBEAT_MS,
    graceMs: read.LONGRUN_GRACE_MS,
    checkAgainAfterMs: read.LONGRUN_CHECK_AGAIN_MS,
    labels: read.LONGRUN_LABELS,
    trainerUser: read.LONGRUN_TRAINER_USER,
    trainerMemoryBytes:
      read.LONGRUN_TRAINER_MEMORY === undefined ? Math.floor(0.9 * memoryBytes()) : read.LONGRUN_TRAINER_MEMORY,
  };
}

const workerVariables = {
  REDIS_URL: variables.REDIS_URL,
  LONGRUN_REDIS_PREFIX: variables.LONGRUN_REDIS_PREFIX,
  LONGRUN_REDIS_WAIT_MS: milliseconds({ least: 0, most: 3_600_000, byDefault: 30_000 }),
  LONGRUN_STATE: variables.LONGRUN_STATE,
  LONGRUN_OBJECTS: variables.LONGRUN_OBJECTS,
  LONGRUN_HEARTBEAT_MS: variables.LONGRUN_HEARTBEAT_MS,
  LONGRUN_GRACE_MS: variables.LONGRUN_GRACE_MS,
  LONGRUN_CHECK_AGAIN_MS: milliseconds(checkAgainAfterMs),
  LONGRUN_LABELS: labels(),
  LONGRUN_TRAINER_MEMORY: sizeInBytes('an amount of memory', 64 * 2 ** 20).optional(),
  LONGRUN_TRAINER_USER: variables.LONGRUN_TRAINER_USER,
} as const;

/** How long after the grace the process may take to say what happened. */
const AFTER_GRACE_MS = 4_000;

/** The first signal to stop. Later ones change nothing: one may come from the terminal and one from a parent. */
function nextStopSignal(name: string): Promise<NodeJS.Signals> {
  return new Promise((resolveSignal) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => {
        process.stderr.write(`${name}: ${signal}\n`);
        resolveSignal(signal);
      });
  });
}

async function openStore(
  url: string,
  onNote: (sentence: string) => void,
  stopRequested: Promise<unknown>,
): Promise<ObjectStore> {
  const stopping = new AbortController();
  void stopRequested.then(() => stopping.abort());
  try {
    return await openObjectStore(url, { onNote, signal: stopping.signal });
  } catch (error) {
    // Its URL is in the reason, without what may be secret in it.
    throw new Error(
      `The object store cannot be used: ${error instanceof Error ? error.message : String(error)}; check LONGRUN_OBJECTS.`,
      { cause: error },
    );
  }
}

function withoutPassword(url: string): string {
  const parsed = new URL(url);
  parsed.password = parsed.password === '' ? '' : '…';
  return parsed.href;
}
