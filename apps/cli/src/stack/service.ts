import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { environmentWithoutSecrets } from '@longrun/platform/configuration';
import { lastLines, LogFile } from './log-file.js';
import { endGroup, identify, type ProcessIdentity, sendSignal } from '@longrun/platform/processes';
import { type StageProgress, StartProgress } from './start-progress.js';

/** How one service of the stack is run. */
export interface ServiceOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** A file that it reads as its stdin. Default: nothing. */
  readonly input?: string;
  /** The environment that it is given; asked for at each start. Default: that of this process, without what could be a secret. */
  readonly env?: () => Readonly<Record<string, string | undefined>>;
  /** Where its stdout and stderr go, appended. */
  readonly logFile: string;
  /** Whether it can be used now; asked again and again after the start. A text says what it still waits for. */
  readonly isReady: (service: StartingService) => Promise<boolean | string> | boolean | string;
  /** Pause between two such questions. Default 50. */
  readonly pollMs?: number;
  /** How long its start may stand still, however long it takes while it goes on. Default 60 000. */
  readonly patienceMs?: number;
  /** Told what it does as it starts: each new stage, and every 5 s the one that lasts. */
  readonly onStage?: (progress: StageProgress) => void;
  /** Why it did not come up, from the last lines that it wrote. Default: the last that begins with its name. */
  readonly explain?: (lines: readonly string[]) => string | undefined;
  /** How long it may take to end after SIGTERM before it gets SIGKILL. Default 15 000. */
  readonly stopTimeoutMs?: number;
  /** How long what it has started itself may outlive it before that gets SIGKILL. Default 5 000. */
  readonly orphanTimeoutMs?: number;
}

/** A process that is not ready yet. */
export interface StartingService {
  readonly pid: number;
  /** What it has written so far. */
  readonly output: () => string;
}

/** How a process came to its end. */
export interface ServiceExit {
  readonly pid: number;
  /** `exit code 1`, `SIGKILL` */
  readonly how: string;
  /** The end of what it had written. */
  readonly lastLines: readonly string[];
}

/** A service that did not come up. The message ends with the last lines of its log. */
export class ServiceFailed extends Error {
  override readonly name = 'ServiceFailed';
  readonly lastLines: readonly string[];

  constructor(
    message: string,
    { lastLines: lines = [], ...options }: ErrorOptions & Partial<Pick<ServiceExit, 'lastLines'>> = {},
  ) {
    super(message, options);
    this.lastLines = lines;
  }
}

/**
 * One service of the stack as a process of its own, in a process group of its own: a Ctrl+C in the terminal reaches
 * only the one who stops the stack in order. It may be started again after it has ended.
 */
export class Service {
  readonly #options: ServiceOptions;
  #current: { readonly pid: number; readonly exited: Promise<ServiceExit> } | undefined;
  /** Settles when the newest start has a process, or none. */
  #spawning: Promise<unknown> = Promise.resolve();
  /** Settles when nothing of the newest process' group is left. */
  #groupGone: Promise<void> = Promise.resolve();

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get logFile(): string {
    return this.#options.logFile;
  }

  /** The number of the running process, or undefined. */
  get pid(): number | undefined {
    return this.#current?.pid;
  }

  /**
   * Starts the process and resolves as soon as it has a number; `ready` settles when it can be used, `exited` when it
   * has ended, for whatever reason. Throws ServiceFailed where no process can be had.
   */
  async start(): Promise<{ identity: ProcessIdentity; ready: Promise<void>; exited: Promise<ServiceExit> }> {
    if (this.#current !== undefined) throw new Error(`${this.name} runs already, as process ${this.#current.pid}`);
    const spawning = this.#spawned();
    this.#spawning = spawning.catch(() => undefined);
    const { pid, child, log } = await spawning;
    const output = (): string => log.read();
    const exited = ended(child).then((how): ServiceExit => {
      this.#current = undefined;
      log.end();
      // Without a process table to look into nobody can be waited for.
      this.#groupGone = endGroup(pid, { timeoutMs: this.#options.orphanTimeoutMs ?? 5_000 }).catch(() =>
        sendSignal(-pid, 'SIGKILL'),
      );
      return { pid, how, lastLines: linesOrWhyNot(output) };
    });
    this.#current = { pid, exited };
    const identity = (await identify(pid).catch(() => undefined)) ?? { pid, started: 'gone' };
    const ready = this.#untilReady({ pid, output, exited });
    // One that is stopped as it starts may fail before anybody has come to wait for it: who does hears of it still.
    ready.catch(() => undefined);
    return { identity, exited, ready };
  }

  /** Sends a signal to the process itself, not to its group. False when it does not run. */
  signal(signal: NodeJS.Signals): boolean {
    if (this.#current === undefined) return false;
    sendSignal(this.#current.pid, signal);
    return true;
  }

  /**
   * SIGTERM, then SIGKILL after `stopTimeoutMs`. Resolves when the process and what it had started are gone; says how it
   * ended, or undefined if it did not run.
   */
  async stop(): Promise<ServiceExit | undefined> {
    await this.#spawning;
    const current = this.#current;
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.kill(), this.#options.stopTimeoutMs ?? 15_000);
    try {
      return await current?.exited;
    } finally {
      clearTimeout(timer);
      await this.#groupGone;
    }
  }

  /** Resolves when the running process has ended, whatever ends it; undefined if none runs. */
  async exited(): Promise<ServiceExit | undefined> {
    return await this.#current?.exited;
  }

  /** SIGKILL to the process and all it has started. */
  kill(): void {
    if (this.#current !== undefined) sendSignal(-this.#current.pid, 'SIGKILL');
  }

  async #spawned(): Promise<{ pid: number; child: ChildProcess; log: LogFile }> {
    const { command, args, input, env, logFile } = this.#options;
    const opened: number[] = [];
    let log: LogFile | undefined;
    try {
      log = new LogFile(logFile);
      const { descriptor } = log;
      opened.push(descriptor);
      const stdin = input === undefined ? undefined : openSync(input, 'r');
      if (stdin !== undefined) opened.push(stdin);
      const child = spawn(command, args, {
        env: env?.() ?? environmentWithoutSecrets(process.env),
        stdio: [stdin ?? 'ignore', descriptor, descriptor],
        detached: true,
      });
      return { pid: await pidOf(child), child, log };
    } catch (error) {
      log?.end();
      const why = error instanceof Error ? error.message : String(error);
      throw new ServiceFailed(`${this.name} cannot be started: ${why}`, { cause: error });
    } finally {
      for (const descriptor of opened) closeSync(descriptor);
    }
  }

  async #untilReady(process: StartingService & { exited: Promise<ServiceExit> }): Promise<void> {
    const { name, logFile, isReady, pollMs = 50, patienceMs = 60_000, onStage } = this.#options;
    const { explain = (lines) => this.#lastSentence(lines) } = this.#options;
    const progress = new StartProgress({ ...process, patienceMs, onStage });
    let exit: ServiceExit | undefined;
    while (exit === undefined && !progress.isStuck) {
      // One that does not answer is not asked again, and its end is not waited for.
      const answer = await Promise.race([isReady(process), process.exited]);
      if (answer === true) return;
      exit = typeof answer === 'object' ? answer : await Promise.race([process.exited, sleep(pollMs, undefined)]);
      await progress.look(typeof answer === 'string' ? answer : undefined);
    }
    const lines = exit?.lastLines ?? linesOrWhyNot(process.output);
    const how = exit === undefined ? `has not moved for ${patienceMs / 1000} s` : `ended (${exit.how}) as it started`;
    const during = progress.stage === undefined ? '' : ` (${progress.stage})`;
    const why = explain(lines);
    throw new ServiceFailed(
      [`${name} ${how}${during}${why === undefined ? '' : `: ${why}`}`, `the end of ${logFile}:`]
        .concat(lines.map((line) => `    ${line}`))
        .join('\n'),
      { lastLines: lines },
    );
  }

  /** What it has said itself of its failure: its last sentence. */
  #lastSentence(lines: readonly string[]): string | undefined {
    const start = `${this.name}: `;
    return lines.findLast((line) => line.startsWith(start))?.slice(start.length);
  }
}

function pidOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      if (child.pid === undefined) reject(new Error('it has no process number'));
      else resolve(child.pid);
    });
  });
}

/** The end of what it had written. A log that cannot be read is no reason not to tell of its end. */
function linesOrWhyNot(output: () => string): string[] {
  try {
    return lastLines(output());
  } catch (error) {
    return [`its log cannot be read: ${error instanceof Error ? error.message : String(error)}`];
  }
}

function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}
