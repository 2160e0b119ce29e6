import { readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { freePort, makeStateFolder, readVariables, variables } from '@longrun/platform/configuration';
import { connect } from '../address.js';
import { lookAtApi } from './api-file.js';
import { type Installation, findInstallation, findRedisServer } from './installation.js';
import { endGroup, isAlive, type ProcessIdentity, stopProcess } from '@longrun/platform/processes';
import { refusePortInUse } from './port.js';
import { foundPortInUse, localRedis } from './redis.js';
import { publishPrograms } from './example-programs.js';
import { Service, type ServiceExit, type ServiceOptions } from './service.js';
import { inStateFolder } from './state-folder.js';
import { CLAIM_NAMES, StateLock } from './state-lock.js';

/** The processes of a local stack. */
export type ServiceName = 'redis' | 'api' | 'fuel-preproc' | 'worker-gpu' | 'worker-gpu-2';

/** What a stack tells while it runs. */
export type StackEvent =
  | { readonly kind: 'leftover'; readonly service: string; readonly pid: number }
  | { readonly kind: 'started'; readonly service: ServiceName; readonly pid: number }
  /** What it does as it starts: each new stage, and every 5 s the one that lasts. */
  | {
      readonly kind: 'starting';
      readonly service: ServiceName;
      readonly pid: number;
      readonly stage: string;
      readonly afterMs: number;
    }
  /** Which process it is could not be written down: if this process were killed, the next stack would not find it. */
  | {
      readonly kind: 'unrecorded';
      readonly service: ServiceName;
      readonly pid: number;
      readonly why: string;
      /** How often it is tried again. */
      readonly retryEveryMs: number;
    }
  | { readonly kind: 'ready'; readonly service: ServiceName; readonly pid: number; readonly afterMs: number }
  | {
      readonly kind: 'died';
      readonly service: ServiceName;
      readonly exit: ServiceExit;
      readonly logFile: string;
      /** When it will be started again; null: it will not. */
      readonly restartInMs: number | null;
    }
  /** It did not come up. */
  | {
      readonly kind: 'failed';
      readonly service: ServiceName;
      readonly error: unknown;
      /** When it will be started again; null: it will not. */
      readonly restartInMs: number | null;
    }
  | { readonly kind: 'stopped'; readonly service: ServiceName; readonly exit: ServiceExit };

/** What a stack is made with. */
export interface StackOptions {
  /** Holds everything: record, objects if they lie nowhere else, Redis' file, logs, token. Made if absent. */
  readonly state: string;
  /** Port of the API on 127.0.0.1. Default: a free one. */
  readonly port?: number;
  /** Empty the state folder first, once it is certain that no other stack runs on it. Default false. */
  readonly fresh?: boolean;
  /** Where checkpoints and datasets lie, as `openObjectStore` takes it. Default: in the state folder. */
  readonly objectsUrl?: string | undefined;
  /** Workers of experiments. Default 1. */
  readonly workers?: 1 | 2;
  /**
   * Put into the environment of the API and the workers, which is else that of this process, at each start; undefined takes a variable
   * away. What the stack itself decides (its state folder, addresses) stays.
   */
  readonly environment?: (service: ServiceName) => Readonly<Record<string, string | undefined>>;
  /** Start a service again, with growing pauses, when it dies. Default false. */
  readonly supervise?: boolean;
  /** The first pause before a restart; doubles up to 32 times of it. Default 1 000. */
  readonly backoffMs?: number;
  readonly onEvent?: (event: StackEvent) => void;
  /** Aborts the start: what has been started is stopped in order, and the start rejects with the signal's reason. */
  readonly stop?: AbortSignal;
  /** SIGKILL to everything, at once; `stop()` still has to be awaited. */
  readonly kill?: AbortSignal;
}

/** Workers give their work back before the API, which takes it in, goes; all of them need Redis to the end. */
const stopOrder = [['worker-gpu', 'worker-gpu-2', 'fuel-preproc'], ['api'], ['redis']] as const;

/** What a worker may take beyond its grace to say what became of its job, and to end, before it gets SIGKILL. */
const AFTER_GRACE_MS = 35_000;

/** Ports that Redis is started on before its start has failed. */
const MOST_REDIS_PORTS = 5;

/** How long after a process could not be recorded it is tried again. */
const RECORD_AGAIN_MS = 5_000;

/** A service that has lived this long has recovered: its next restart comes after the first pause again. */
const RECOVERED_AFTER_MS = 60_000;

/**
 * Redis, the API, fuel-preproc and worker-gpu as processes of their own, on free ports of 127.0.0.1 and one state
 * folder. `LocalStack.start` resolves when all of them can be used, and
 * the programs of the examples are published.
 */
export class LocalStack {
  /** The state folder, as a full path. */
  readonly state: string;
  readonly redisUrl: string;
  readonly #options: StackOptions;
  readonly #lock: StateLock;
  readonly #services: Readonly<Record<ServiceName, Service>>;
  /** The folder of the examples' programs. */
  readonly #examples: string;
  readonly #restarts = new Map<ServiceName, { failures: number; timer?: NodeJS.Timeout }>();
  readonly #expected = new Set<number>();
  #url = '';
  #stopping = false;

  private constructor(
    options: StackOptions,
    lock: StateLock,
    redis: { service: Service; url: string },
    installation: Installation,
  ) {
    this.state = resolve(options.state);
    this.redisUrl = redis.url;
    this.#options = options;
    this.#lock = lock;
    this.#examples = installation.programs;
    this.#services = {
      redis: redis.service,
      api: this.#node('api', installation, (service) => this.#apiIsReady(service.pid)),
      'fuel-preproc': this.#node('fuel-preproc', installation, ({ output }) => saysReady(output())),
      'worker-gpu': this.#node('worker-gpu', installation, ({ output }) => saysReady(output())),
      'worker-gpu-2': this.#node('worker-gpu-2', installation, ({ output }) => saysReady(output())),
    };
  }

  /**
   * Starts all of it. Throws StateFolderInUse, UnusableStateFolder, NotInstalled, or ServiceFailed with the end of the log of what did not come
   * up; nothing is left running then.
   */
  static async start(options: StackOptions): Promise<LocalStack> {
    const installation = findInstallation();
    const redisServer = findRedisServer();
    const state = resolve(options.state);
    const lock = await inStateFolder(state, async () => {
      await makeStateFolder(state);
      return await StateLock.take(state);
    });
    try {
      await stopLeftovers(lock.leftovers, options);
      if (options.fresh === true) await inStateFolder(state, async () => await emptyFolder(state));
      if (options.port !== undefined) await refusePortInUse(options.port);
      // Another process can take a free port before Redis does: then the next one.
      for (let attempt = 1; ; attempt += 1) {
        const port = await freePort();
        const redis = await inStateFolder(
          state,
          async () =>
            await localRedis({
              folder: join(state, 'redis'),
              port,
              logFile: join(state, 'logs', 'redis.log'),
              command: redisServer,
              onStage: (progress) => options.onEvent?.({ kind: 'starting', service: 'redis', ...progress }),
            }),
        );
        const stack = new LocalStack(options, lock, redis, installation);
        options.kill?.addEventListener('abort', () => stack.#kill(), { once: true });
        try {
          await stack.#startAll(options.stop);
          return stack;
        } catch (error) {
          await stack.#stopServices();
          if (attempt >= MOST_REDIS_PORTS || !foundPortInUse(error)) throw error;
        }
      }
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Address of the API, `http://127.0.0.1:<port>`. */
  get url(): string {
    return this.#url;
  }

  /** The file that holds the API's bearer token, readable by its owner only. */
  get tokenFile(): string {
    return join(this.state, 'token');
  }

  /** The API's bearer token. */
  async token(): Promise<string> {
    return (await readFile(this.tokenFile, 'utf8')).trim();
  }

  service(name: ServiceName): Service {
    return this.#services[name];
  }

  /** Starts one service and resolves when it can be used; the number of its process. */
  async startService(name: ServiceName): Promise<number> {
    try {
      return await this.#start(name);
    } catch (error) {
      // Said now: those that run already may take their time to stop.
      if (!this.#stopping) {
        const restartInMs = this.#restartOf(name);
        // One that has not been up before is tried on another port.
        if (restartInMs !== null || !foundPortInUse(error))
          this.#tell({ kind: 'failed', service: name, error, restartInMs });
      }
      throw error;
    }
  }

  /** Sends a signal to one service on purpose: its end is then not taken for a death. Resolves when it is gone. */
  async endService(name: ServiceName, signal: NodeJS.Signals): Promise<void> {
    const service = this.#services[name];
    const pid = service.pid;
    if (pid === undefined) throw new Error(`${name} does not run, so ${signal} cannot be sent to it`);
    this.#expected.add(pid);
    service.signal(signal);
    if (signal === 'SIGTERM') await service.stop();
    else await service.exited();
  }

  /** Stops everything in order: the workers give their work back, then the API, then Redis. */
  async stop(): Promise<void> {
    await this.#stopServices();
    await this.#lock.release();
  }

  async #startAll(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const aborted = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    aborted.catch(() => undefined);
    await Promise.race([this.startService('redis'), aborted]);
    await rm(join(this.state, 'api.json'), { force: true });
    signal?.throwIfAborted();
    const workers = (['worker-gpu', 'worker-gpu-2'] as const).slice(0, this.#options.workers ?? 1);
    const rest = (['fuel-preproc', ...workers] as const).map((name) => this.startService(name));
    const api = this.startService('api').then(async () => await this.#publishExamples());
    await Promise.race([Promise.all([api, ...rest]), aborted]);
  }

  async #publishExamples(): Promise<void> {
    const environment = { ...process.env, ...this.#options.environment?.('api'), LONGRUN_URL: this.#url };
    await publishPrograms(await connect({ state: this.state, environment }), this.#examples);
  }

  async #start(name: ServiceName): Promise<number> {
    if (this.#stopping) throw new Error(`${name} is not started any more: the stack on ${this.state} stops`);
    const since = performance.now();
    const service = this.#services[name];
    const { identity, ready, exited } = await service.start();
    let usable = false;
    void exited.then((exit) => this.#onExit(name, exit, { usable, livedMs: performance.now() - since }));
    const recorded = this.#record(name, identity);
    this.#tell({ kind: 'started', service: name, pid: identity.pid });
    try {
      await ready;
    } catch (error) {
      service.kill();
      await exited;
      throw error;
    }
    usable = true;
    this.#tell({ kind: 'ready', service: name, pid: identity.pid, afterMs: performance.now() - since });
    await recorded;
    return identity.pid;
  }

  /** Keeps which process a service is now. What cannot be kept is said once, and tried again while that process runs. */
  async #record(name: ServiceName, identity: ProcessIdentity, isFirst = true): Promise<void> {
    try {
      await this.#lock.record(name, identity);
    } catch (error) {
      const { pid } = identity;
      const why = error instanceof Error ? error.message : String(error);
      if (isFirst) this.#tell({ kind: 'unrecorded', service: name, pid, why, retryEveryMs: RECORD_AGAIN_MS });
      const again = (): void => {
        if (this.#services[name].pid === pid) void this.#record(name, identity, false);
      };
      setTimeout(again, RECORD_AGAIN_MS).unref();
    }
  }

  async #stopServices(): Promise<void> {
    this.#stopping = true;
    for (const { timer } of this.#restarts.values()) clearTimeout(timer);
    for (const group of stopOrder) {
      await Promise.all(
        group.map(async (name) => {
          const exit = await this.#services[name].stop();
          if (exit !== undefined) this.#tell({ kind: 'stopped', service: name, exit });
        }),
      );
    }
  }

  #kill(): void {
    this.#stopping = true;
    for (const service of Object.values(this.#services)) service.kill();
  }

  #onExit(name: ServiceName, exit: ServiceExit, life: { usable: boolean; livedMs: number }): void {
    // A process that ended before it was usable is reported by whoever awaits its start.
    if (this.#stopping || this.#expected.delete(exit.pid) || !life.usable) return;
    const { logFile } = this.#services[name];
    if (life.livedMs > RECOVERED_AFTER_MS) this.#restarts.delete(name);
    const restartInMs = this.#options.supervise === true ? this.#scheduleRestart(name) : null;
    this.#tell({ kind: 'died', service: name, exit, logFile, restartInMs });
  }

  /** When a service that did not come up is started again: only one that has run before is. */
  #restartOf(name: ServiceName): number | null {
    return this.#options.supervise === true && this.#restarts.has(name) ? this.#scheduleRestart(name) : null;
  }

  #scheduleRestart(name: ServiceName): number {
    const failures = this.#restarts.get(name)?.failures ?? 0;
    const restartInMs = (this.#options.backoffMs ?? 1_000) * 2 ** Math.min(failures, 5);
    const restart = (): void => {
      // That it failed is told, and has had the next restart scheduled.
      this.startService(name).catch(() => undefined);
    };
    this.#restarts.set(name, { failures: failures + 1, timer: setTimeout(restart, restartInMs) });
    return restartInMs;
  }

  #node(name: Exclude<ServiceName, 'redis'>, installation: Installation, isReady: ServiceOptions['isReady']): Service {
    return new Service({
      name,
      command: process.execPath,
      args: ['--enable-source-maps', installation.entries[name === 'worker-gpu-2' ? 'worker-gpu' : name]],
      logFile: join(this.state, 'logs', `${name}.log`),
      isReady,
      onStage: (progress) => this.#tell({ kind: 'starting', service: name, ...progress }),
      // The API logs each question it has to answer with "not yet".
      pollMs: name === 'api' ? 250 : 50,
      stopTimeoutMs: name === 'api' ? 15_000 : this.#graceMs() + AFTER_GRACE_MS,
      env: () => ({
        ...process.env,
        ...this.#options.environment?.(name),
        // Workers need neither; what is trained as their user could read it there.
        ...(name === 'api' ? {} : { DATABASE_URL: undefined, LONGRUN_TOKEN: undefined }),
        LONGRUN_STATE: this.state,
        LONGRUN_HOST: '127.0.0.1',
        // A restarted API keeps its address.
        LONGRUN_PORT: this.#url === '' ? String(this.#options.port ?? 0) : new URL(this.#url).port,
        LONGRUN_OBJECTS: this.#options.objectsUrl ?? pathToFileURL(join(this.state, 'objects')).href,
        REDIS_URL: this.redisUrl,
      }),
    });
  }

  /** What a worker that is told to stop may take for it, as it was told itself. */
  #graceMs(): number {
    const environment = { ...process.env, ...this.#options.environment?.('worker-gpu') };
    return readVariables({ LONGRUN_GRACE_MS: variables.LONGRUN_GRACE_MS }, environment).LONGRUN_GRACE_MS;
  }

  async #apiIsReady(pid: number): Promise<boolean | string> {
    const { url, ready } = await lookAtApi(this.state, pid);
    if (ready === true && url !== undefined) this.#url = url;
    return ready;
  }

  #tell(event: StackEvent): void {
    this.#options.onEvent?.(event);
  }
}

/** Stops what a stack that was killed has left running, in the order in which it would have stopped it. */
async function stopLeftovers(leftovers: StateLock['leftovers'], { onEvent }: StackOptions): Promise<void> {
  for (const group of stopOrder) {
    await Promise.all(
      group.map(async (service) => {
        const identity = leftovers[service];
        if (identity === undefined || !(await isAlive(identity))) return;
        onEvent?.({ kind: 'leftover', service, pid: identity.pid });
        await stopProcess(identity, { timeoutMs: 10_000 });
        await endGroup(identity.pid, { timeoutMs: 5_000 });
      }),
    );
  }
}

/** Whether a worker has printed its ready line. */
function saysReady(output: string): boolean {
  return /^[a-z-]+:? ready\b/m.test(output);
}

/** Removes what lies in a state folder, but for the claim that its holder has on it. */
async function emptyFolder(state: string): Promise<void> {
  const names = (await readdir(state)).filter((name) => !CLAIM_NAMES.has(name));
  await Promise.all(names.map((name) => rm(join(state, name), { recursive: true, force: true })));
}
