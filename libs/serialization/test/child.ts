import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import { build } from 'vite';
import { expect, onTestFinished } from 'vitest';

/** Bundles a program of `test/children`, with the source of this room as it is now, to a file in `folder` that Node runs. */
export async function bundleChild(name: string, folder: string): Promise<string> {
  const outDir = path.join(folder, '.bundles');
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: path.join(import.meta.dirname, 'children', `${name}.ts`),
      target: 'node20',
      outDir,
      emptyOutDir: false,
      rolldownOptions: { output: { entryFileNames: `${name}.mjs` } },
    },
    ssr: { noExternal: true },
  });
  return path.join(outDir, `${name}.mjs`);
}

/** A child process that reports a line at a time, and does not outlive its test. */
export class Child {
  readonly lines: string[] = [];
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: Interface;
  readonly #exit: Promise<unknown[]>;
  #errors = '';

  /** @param environment added to that of this process */
  constructor(bundle: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const env = { ...process.env, ...environment };
    this.#process = spawn(process.execPath, [bundle, ...args], { stdio: 'pipe', env });
    this.#exit = once(this.#process, 'close');
    onTestFinished(async () => {
      this.#process.kill('SIGKILL');
      await this.#exit;
    });
    this.#lines = createInterface(this.#process.stdout).on('line', (line) => this.lines.push(line));
    this.#process.stderr.on('data', (data: Buffer) => {
      this.#errors += data.toString();
    });
  }

  /** Waits until it has reported this many lines. */
  async reported(count: number): Promise<void> {
    while (this.lines.length < count) {
      const ended = await Promise.race([once(this.#lines, 'line').then(() => false), this.#exit.then(() => true)]);
      if (ended) throw new Error(`the child ended after ${this.lines.length} lines: ${this.#errors}`);
    }
  }

  send(line: string): void {
    this.#process.stdin.write(`${line}\n`);
  }

  /** Says that no more lines will be sent. */
  close(): void {
    this.#process.stdin.end();
  }

  /** Kills it with SIGKILL, and waits. @throws Error if it had ended by itself. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.killed();
  }

  /** Waits until it is killed with SIGKILL. @throws Error if it ends by itself. */
  async killed(): Promise<void> {
    const [code, signal] = await this.#exit;
    if (signal !== 'SIGKILL') throw new Error(`the child had ended by itself with ${String(code)}: ${this.#errors}`);
  }

  /** Waits until it is stopped, as by SIGSTOP. */
  async stopped(): Promise<void> {
    const state = (): string =>
      execFileSync('ps', ['-o', 'state=', '-p', String(this.#process.pid)], { encoding: 'utf8' });
    await expect.poll(state, { interval: 20 }).toMatch(/^T/u);
  }

  /** Lets it go on after it was stopped. */
  wake(): void {
    this.#process.kill('SIGCONT');
  }

  /** Waits until it has failed, and answers what it said of that. @throws Error if it has succeeded or was killed. */
  async failed(): Promise<string> {
    const [code, signal] = await this.#exit;
    if (code === 0 || signal !== null)
      throw new Error(`the child ended with ${String(signal ?? code)}: ${this.#errors}`);
    return this.#errors;
  }

  /** Waits for its end. @throws Error unless it succeeds. */
  async end(): Promise<void> {
    const [code, signal] = await this.#exit;
    if (code !== 0) throw new Error(`the child ended with ${String(code ?? signal)}: ${this.#errors}`);
  }
}
