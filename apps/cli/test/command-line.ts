import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { until } from '@longrun/platform/testing';

import { Terminal } from '../src/output/terminal.js';
import { run } from '../src/program.js';

const bin = fileURLToPath(new URL('../bin/longrun.js', import.meta.url));

/** What a finished command has left. */
export interface Finished {
  readonly code: number | null;
  /** Of a process that was ended by one. */
  readonly signal?: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What commands that are processes of their own run in. */
export interface CommandLineOptions {
  /** Default: that of this process. */
  readonly cwd?: string;
  /** Added to what is inherited, which has nothing of Longrun's. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** `longrun` on one state folder: commands in this process, `up` and what is asked for as processes of their own. */
export class CommandLine {
  readonly state: string;
  readonly #options: CommandLineOptions;

  constructor(state: string, options: CommandLineOptions = {}) {
    this.state = state;
    this.#options = options;
  }

  /** Runs a command to its end. */
  async run(...words: string[]): Promise<Finished> {
    return await this.runWith({}, ...words);
  }

  /** Runs a command to its end in an environment. */
  async runWith(environment: Readonly<Record<string, string>>, ...words: string[]): Promise<Finished> {
    let stdout = '';
    let stderr = '';
    const terminal = new Terminal({
      writeResult: (text) => (stdout += text),
      writeRemark: (text) => (stderr += text),
    });
    const code = await run(['--state', this.state, ...words], { terminal, environment, input: Readable.from([]) });
    return { code, stdout, stderr };
  }

  /** Runs a command to its end as a process. */
  async runProcess(...words: string[]): Promise<Finished> {
    const child = this.#spawn(['--state', this.state, ...words]);
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
    child.stderr?.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
    await once(child, 'close');
    return { code: child.exitCode, signal: child.signalCode, stdout, stderr };
  }

  /** Starts a process with these words alone. */
  start(...words: string[]): RunningCommand {
    return new RunningCommand(this.#spawn(words));
  }

  /** Starts `longrun up --json` and resolves when it is up. */
  async up(...words: string[]): Promise<RunningStack> {
    const stack = new RunningStack(this.#spawn(['--state', this.state, 'up', '--json', ...words]));
    await stack.next('up');
    return stack;
  }

  #spawn(words: readonly string[]): ChildProcess {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !name.startsWith('LONGRUN_') && name !== 'DATABASE_URL',
    );
    const { cwd, environment } = this.#options;
    return spawn(process.execPath, [bin, ...words], {
      cwd,
      // However slow its Redis is.
      env: { ...Object.fromEntries(inherited), LONGRUN_REDIS_WAIT_MS: '300000', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}

/** A command that runs as a process. */
export class RunningCommand {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#closed = once(child, 'close');
    child.stdout?.on('data', (bytes: Buffer) => (this.stdout += bytes.toString()));
    child.stderr?.on('data', (bytes: Buffer) => (this.stderr += bytes.toString()));
  }

  /** Resolves when something is printed. Throws when the command ends first. */
  async line(pattern: RegExp): Promise<void> {
    await until(() => {
      if (pattern.test(this.stdout) || pattern.test(this.stderr)) return true;
      if (this.#child.exitCode !== null) throw new Error(`it ended with ${this.#child.exitCode}: ${this.stderr}`);
      return false;
    });
  }

  /** Closes the pipes that it writes to. */
  loseReader(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The exit code, or the signal that ended it. */
  async ended(): Promise<number | string | null> {
    await this.#closed;
    return this.#child.exitCode ?? this.#child.signalCode;
  }
}

/** A line that `longrun up --json` prints. */
export type UpLine = Readonly<Record<string, unknown>> & { readonly kind: string };

/** A running `longrun up`. */
export class RunningStack {
  readonly lines: UpLine[] = [];
  readonly #child: ChildProcess;
  #stderr = '';
  #seen = 0;
  #wake: () => void = () => undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.on('data', (bytes: Buffer) => (this.#stderr += bytes.toString()));
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        // Parsed by the one who wrote it, in this same room.
        const value: UpLine = JSON.parse(line);
        this.lines.push(value);
        this.#wake();
      });
    }
    child.once('close', () => this.#wake());
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** The newest process of a service, as it was said. */
  pidOf(service: string): number {
    const started = this.lines.findLast((line) => line.kind === 'started' && line['service'] === service);
    return Number(started?.['pid']);
  }

  /** The next line of a kind (about a service), from where the last one was found. Throws when the command ends first. */
  async next(kind: string, service?: string): Promise<UpLine> {
    for (;;) {
      const at = this.lines.findIndex(
        (line, index) =>
          index >= this.#seen && line.kind === kind && (service === undefined || line['service'] === service),
      );
      const line = this.lines[at];
      if (line !== undefined) {
        this.#seen = at + 1;
        return line;
      }
      if (this.#child.exitCode !== null)
        throw new Error(`longrun up ended with code ${this.#child.exitCode}: ${this.#stderr}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Sends a signal and resolves with the exit code, or the signal that ended it. */
  async end(signal: NodeJS.Signals): Promise<number | string | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const closed = once(this.#child, 'close');
      this.#child.kill(signal);
      await closed;
    }
    return this.#child.exitCode ?? this.#child.signalCode;
  }
}
