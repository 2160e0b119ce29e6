import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { FileCache, type WantedFile } from '../src/worker/file-cache.js';

const SIZE_BYTES = 1000;
const MOST_BYTES = 3 * SIZE_BYTES;
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const library = fileURLToPath(new URL('../dist/worker/index.js', import.meta.url));

/** What all processes have: a cache, and how they get a file from it. */
const WORKER = `
  const { createHash } = await import('node:crypto');
  const { readFile, writeFile } = await import('node:fs/promises');
  const { createInterface } = await import('node:readline');
  const { FileCache } = await import(process.argv[1]);
  const cache = new FileCache(process.argv[2], { mostBytes: ${MOST_BYTES} });
  const lines = createInterface(process.stdin)[Symbol.asyncIterator]();
  const made = { taken: 0, added: 0 };
  const hold = async (name) => {
    const bytes = Buffer.alloc(${SIZE_BYTES}, name);
    const wanted = { name, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    const taken = await cache.take(wanted);
    made[taken === undefined ? 'added' : 'taken'] += 1;
    const held = taken ?? await cache.add(wanted, async (path) => await writeFile(path, bytes));
    return { ...held, path: held.path, release: () => held.release(), isWhole: async () => bytes.equals(await readFile(held.path)) };
  };
`;

/** Holds the file of each line until the next one. */
const HOLDER = `${WORKER}
  console.log('ready');
  for (let held; ;) {
    const { value } = await lines.next();
    await held?.release();
    if (value === undefined) break;
    held = value === '' ? undefined : await hold(value);
    console.log(held?.path ?? 'none');
  }
`;

/** Holds one file after the other, in an order of its own, and looks at it before and after the others have had their turn. */
const USER = `${WORKER}
  console.log('ready');
  await lines.next();
  const names = ${JSON.stringify(NAMES)};
  for (let turn = 0, at = Number(process.argv[3]); turn < 60; turn += 1) {
    at = (at * 5 + turn + 1) % names.length;
    const held = await hold(names[at]);
    if (!(await held.isWhole())) throw new Error('was not whole: ' + held.path);
    for (let wait = 0; wait < 3; wait += 1) await new Promise(setImmediate);
    if (!(await held.isWhole())) throw new Error('was not whole any more: ' + held.path);
    await held.release();
  }
  console.log(JSON.stringify(made));
  process.exit(0);
`;

let folder: string;
let cache: FileCache;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-shared-cache-'));
  cache = new FileCache(folder, { mostBytes: MOST_BYTES });
});

afterEach(async () => {
  await rm(folder, { recursive: true, maxRetries: 10 });
});

class Worker {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  constructor(code: string, ...args: readonly string[]) {
    const words = ['--input-type=module', '-e', code, library, folder, ...args];
    this.#child = spawn(process.execPath, words, { stdio: 'pipe' });
    this.#child.stderr.on('data', (text: Buffer) => (this.#errors += text.toString()));
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
    onTestFinished(async () => await this.kill());
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`it has ended: ${this.#errors}`);
    return value;
  }

  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

function bytesOf(name: string): Buffer {
  return Buffer.alloc(SIZE_BYTES, name);
}

async function addAndRelease(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    const bytes = bytesOf(name);
    const wanted: WantedFile = {
      name,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      sizeBytes: SIZE_BYTES,
    };
    await (await cache.add(wanted, async (path) => await writeFile(path, bytes))).release();
  }
}

async function kept(): Promise<string[]> {
  return (await readdir(join(folder, 'kept'))).map((entry) => entry.split('~')[0] ?? '').toSorted();
}

test('what another process holds stays until it lets go, and what a killed one held stays for a while', async () => {
  const holder = new Worker(HOLDER);
  await holder.line();
  holder.tell('a');
  const path = await holder.line();
  await addAndRelease('b', 'c', 'd', 'e');
  expect(await readFile(path)).toEqual(bytesOf('a'));
  expect(await kept()).toHaveLength(3);

  holder.tell('');
  expect(await holder.line()).toBe('none');
  // It was used last.
  await addAndRelease('b', 'c');
  await addAndRelease('f');
  expect(await kept()).not.toContain('a');
  await expect(stat(path)).rejects.toThrow('ENOENT');

  holder.tell('a');
  const again = await holder.line();
  await holder.kill();
  await addAndRelease('b', 'c', 'd', 'e');
  expect(await readFile(again)).toEqual(bytesOf('a'));
});

test('workers that use one cache at once read whole files only, and keep no more than they may', async () => {
  const workers = [1, 2, 3].map((seed) => new Worker(USER, String(seed)));
  for (const worker of workers) expect(await worker.line()).toBe('ready');
  for (const worker of workers) worker.tell('go');
  const made = await Promise.all(
    workers.map(async (worker): Promise<{ taken: number; added: number }> => JSON.parse(await worker.line())),
  );
  for (const { taken, added } of made) {
    expect(taken).toBeGreaterThan(0);
    // Every file was removed while others were at it.
    expect(added).toBeGreaterThan(NAMES.length);
  }
  await addAndRelease('a');
  expect(await kept()).toHaveLength(3);
  expect(await readdir(join(folder, 'new'))).toEqual([]);
});
