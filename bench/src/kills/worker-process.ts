import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';

/** What an attempt says: the last word of one that died says where it was. */
export type Word =
  | 'leased'
  /** With the step of the checkpoint that it goes on from, 0 without one. */
  | 'restored'
  /** With the step, before it asks for the commit. */
  | 'committing'
  /** With the step, after the commit was acknowledged. */
  | 'committed'
  /** Before it has the store keep its rows. */
  | 'retiring'
  /** The run is at its end, and nothing is done after the last commit any more. */
  | 'settled'
  /** It was refused the lease, as the run has ended. */
  | 'ended'
  /** It was refused the lease, or has lost it, to another. */
  | 'lost';

export interface Said {
  readonly word: Word;
  readonly step: number;
  /** By this process's clock. */
  readonly atMs: number;
}

/** How an attempt's process has ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Ends hung ones: the slowest takes seconds. */
const LONGEST_MS = 600_000;

/** A process that runs an attempt. */
export class WorkerProcess {
  readonly startedAtMs = performance.now();
  readonly said: Said[] = [];
  readonly ended: Promise<Ended>;
  /** Resolves when a fault point of it fires, of which it says so. */
  readonly fired: Promise<void>;
  #errors = '';
  #hasEnded = false;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #lines: Interface;

  /** @param environment added to that of this process */
  constructor(program: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
    const env = { ...process.env, ...environment };
    this.#child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.#lines = createInterface(this.#child.stdout).on('line', (line) => this.said.push(saidIn(line)));
    this.fired = new Promise((resolve) => {
      this.#child.stderr.on('data', (bytes: Buffer) => {
        this.#errors += bytes.toString();
        if (this.#errors.includes('fault point: ')) resolve();
      });
    });
    this.ended = this.#end();
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get lastWord(): Word | undefined {
    return this.said.at(-1)?.word;
  }

  /** All that it has said of one kind. */
  of(word: Word): readonly Said[] {
    return this.said.filter((said) => said.word === word);
  }

  /** Waits until it has said a word so many times; false if it ended before. */
  async says(word: Word, times = 1): Promise<boolean> {
    while (this.of(word).length < times) {
      if (this.#hasEnded) return false;
      await Promise.race([once(this.#lines, 'line'), this.ended]);
    }
    return true;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async #end(): Promise<Ended> {
    let isHung = false;
    const timer = setTimeout(() => {
      isHung = true;
      this.#child.kill('SIGKILL');
    }, LONGEST_MS);
    await once(this.#child, 'close');
    clearTimeout(timer);
    this.#hasEnded = true;
    const { exitCode: code, signalCode: signal } = this.#child;
    const last = `after ${JSON.stringify(this.said.at(-1) ?? null)}; it said ${this.#errors || 'nothing of it'}`;
    if (isHung) throw new Error(`attempt ${this.#child.spawnargs.join(' ')} hung for ten minutes ${last}`);
    if (code !== null && code !== 0)
      throw new Error(`attempt ${this.#child.spawnargs.join(' ')} failed with ${code} ${last}`);
    return { code, signal };
  }
}

function saidIn(line: string): Said {
  const [word = '', step = ''] = line.split(' ');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by attempt.ts
  return { word: word as Word, step: Number(step), atMs: performance.now() };
}
