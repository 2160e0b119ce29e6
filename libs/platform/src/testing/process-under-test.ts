import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { until } from './until.js';

/** A real process that runs a built module, with everything that it printed. It inherits no variables but PATH. */
export class ProcessUnderTest {
  readonly lines: string[] = [];
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals | null>;
  readonly #child: ChildProcess;

  /** @param before a command that starts it, such as one that gives it another user */
  constructor(script: string, environment: Readonly<Record<string, string>>, before: readonly string[] = []) {
    const [command, ...words] = [...before, process.execPath, script];
    const child = spawn(command, words, {
      env: { PATH: process.env['PATH'] ?? '', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => this.lines.push(line));
    this.exited = once(child, 'close').then(
      ([code, signal]: (number | NodeJS.Signals | null)[]) => code ?? signal ?? null,
    );
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('The process could not be started');
    return this.#child.pid;
  }

  get output(): string {
    return this.lines.join('\n');
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.#child.kill(signal)) throw new Error(`${signal} found no process ${this.pid}:\n${this.output}`);
  }

  /**
   * A process that it has started and that has not been waited for; undefined when there is none. One that does not run its own program
   * yet is none: its father waits for that, and would for ever if somebody stopped it.
   */
  childPid(): number | undefined {
    const own = commandOf(this.pid);
    return processes().find(({ pid, parent }) => parent === this.pid && (own === undefined || commandOf(pid) !== own))
      ?.pid;
  }

  /** Waits until it has started such a process. */
  async child(): Promise<number> {
    let pid: number | undefined;
    await until(
      () => (pid = this.childPid()) !== undefined,
      () => this.output,
    );
    if (pid === undefined) throw new Error(`${this.pid} has started no process`);
    return pid;
  }

  /** Ends it, if it still runs. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }
}

/** False when there is no such process, or only its exit code is left of it. */
export function isRunning(pid: number): boolean {
  const found = existsSync('/proc/self/stat') ? processOf(pid) : processes().find((candidate) => candidate.pid === pid);
  return found !== undefined && !found.state.startsWith('Z') && !found.state.startsWith('X');
}

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** As `ps` and /proc give it; `Z` for one that has ended and was not waited for. */
  readonly state: string;
}

function processes(): ProcessEntry[] {
  if (!existsSync('/proc/self/stat'))
    return execFileSync('ps', ['-axo', 'pid=,ppid=,stat='], { encoding: 'utf8' })
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .map(([pid = '', parent = '', state = '']) => ({ pid: Number(pid), parent: Number(parent), state }));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processOf(Number(name)) ?? []);
}

/** Undefined when there is none, and when it ended while we looked. */
function processOf(pid: number): ProcessEntry | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The command name, in parentheses, may hold spaces.
  const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { pid, parent: Number(parent), state };
}

/** With its arguments; empty when it has ended, undefined when it is gone. */
function commandOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return undefined;
  }
}
