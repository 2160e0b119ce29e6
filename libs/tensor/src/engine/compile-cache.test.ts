import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { build } from 'vite';
import { beforeAll, expect, onTestFinished, test } from 'vitest';

import { CompileCache } from './compile-cache.js';

const KEY = CompileCache.keyOf(['a']);
const OTHER = CompileCache.keyOf(['b']);
const BYTES = Uint8Array.from({ length: 300 }, (_, at) => at % 251);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'compile-cache-'));
  return async () => await rm(folder, { recursive: true });
});

let made = 0;

async function empty(mostBytes?: number): Promise<CompileCache> {
  made += 1;
  const cache = new CompileCache(path.join(folder, `cache-${made}`), mostBytes);
  expect([await cache.unusable(), await cache.unwritable()]).toEqual([undefined, undefined]);
  return cache;
}

function fileOf({ folder: within }: CompileCache, key = KEY): string {
  return path.join(within, `${key}.compiled`);
}

test('what is kept is found under its key alone, in a folder of the user', async () => {
  const cache = await empty();
  expect(await cache.find(KEY)).toBeUndefined();
  expect(await cache.keep(KEY, BYTES)).toBeUndefined();
  expect([...((await cache.find(KEY)) ?? [])]).toEqual([...BYTES]);
  expect(await cache.find(OTHER)).toBeUndefined();
  expect((await stat(cache.folder)).mode & 0o777).toBe(0o700);
  expect(CompileCache.keyOf(['a', 'b'])).not.toBe(CompileCache.keyOf(['ab', '']));
});

test('an entry that is cut short, longer, damaged in any bit, of another key or of another format is removed and not given', async () => {
  const cache = await empty();
  await cache.keep(OTHER, BYTES);
  await cache.keep(KEY, BYTES);
  const whole = await readFile(fileOf(cache));
  const flipped = (at: number): Buffer => {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
    return damaged;
  };
  const damaged = [
    ...Array.from(whole.keys(), flipped),
    ...[0, 1, 18, 149, 150, 151, whole.length - 1].map((length) => whole.subarray(0, length)),
    Buffer.concat([whole, Buffer.of(0)]),
    await readFile(fileOf(cache, OTHER)),
    Buffer.from(whole.toString('latin1').replace('longrun compiled 1', 'longrun compiled 2'), 'latin1'),
  ];
  for (const bytes of damaged) {
    await writeFile(fileOf(cache), bytes);
    expect(await cache.find(KEY)).toBeUndefined();
    await expect(stat(fileOf(cache))).rejects.toThrow('ENOENT');
  }
  await cache.keep(KEY, BYTES);
  expect(await cache.find(KEY)).toHaveLength(BYTES.length);
  expect(await cache.find(OTHER)).toHaveLength(BYTES.length);
});

test('with more bytes than the bound, those go that were not used for longest', async () => {
  const cache = await empty(3 * 500);
  const keys = ['1', '2', '3', '4'].map((name) => CompileCache.keyOf([name]));
  for (const [at, key] of keys.slice(0, 3).entries()) {
    await cache.keep(key, BYTES);
    await utimes(fileOf(cache, key), 1000 + at, 1000 + at);
  }
  await cache.find(keys[0] ?? '');
  await cache.keep(keys[3] ?? '', BYTES);
  const found = await Promise.all(keys.map(async (key) => (await cache.find(key)) !== undefined));
  expect(found).toEqual([true, false, true, true]);
  expect(await cache.keep(KEY, new Uint8Array(2000))).toBe('it takes 2000 bytes of 1500');
});

test('a folder that cannot be used is said, and no error', async () => {
  const cache = await empty();
  await chmod(cache.folder, 0o777);
  expect(await cache.unusable()).toMatch(/cache-\d+ is another user's, or one that others may write to$/);
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  const below = new CompileCache(path.join(file, 'cache'));
  expect(await below.unusable()).toContain('ENOTDIR');
  expect(await below.unwritable()).toContain('ENOTDIR');
  expect(await below.find(KEY)).toBeUndefined();
  expect(await below.keep(KEY, BYTES)).toContain('ENOTDIR');
  await below.remove(KEY);
});

test('processes that are killed while they write leave whole entries, and nothing that stays', async () => {
  const cache = await empty();
  const program = await bundled();
  let leftOver: string[] = [];
  for (let round = 0; leftOver.length === 0 && round < 50; round += 1) {
    const writers = [0, 1].map(() => writer(program, cache.folder));
    await Promise.all(writers.map(({ hasFound }) => hasFound));
    // In the midst of a file.
    while (!(await readdir(cache.folder)).some((name) => name.endsWith('.tmp'))) {
      expect(writers.map(({ child }) => child.exitCode)).toEqual([null, null]);
    }
    for (const { child } of writers) child.kill('SIGKILL');
    await Promise.all(writers.map(({ hasEnded }) => hasEnded));
    expect(writers.map(({ child }) => child.signalCode)).toEqual(['SIGKILL', 'SIGKILL']);
    leftOver = (await readdir(cache.folder)).filter((name) => name.endsWith('.tmp'));
    for (const name of ['0', '1', '2']) {
      const found = await cache.find(CompileCache.keyOf([name]));
      expect(found?.every((byte) => byte === Number(name)) ?? true).toBe(true);
    }
  }
  expect(leftOver).not.toEqual([]);
  expect((await readdir(cache.folder)).filter((name) => name.endsWith('.compiled'))).not.toEqual([]);

  await cache.keep(KEY, BYTES);
  expect(await readdir(cache.folder)).toEqual(expect.arrayContaining(leftOver));
  await writeFile(path.join(cache.folder, 'mine.tmp'), '');
  await writeFile(cache.temporaryFile(), '');
  for (const name of await readdir(cache.folder)) await utimes(path.join(cache.folder, name), 1000, 1000);
  await cache.keep(KEY, BYTES);
  expect((await readdir(cache.folder)).filter((name) => name.endsWith('.tmp'))).toEqual(['mine.tmp']);
});

/** A program that keeps and finds entries of many bytes until it is killed. */
async function bundled(): Promise<string> {
  const source = path.join(import.meta.dirname, 'compile-cache.ts');
  const entry = path.join(folder, 'writer.ts');
  await writeFile(
    entry,
    `import { writeSync } from 'node:fs';
    import { CompileCache } from ${JSON.stringify(source)};
    const cache = new CompileCache(process.argv[2]);
    for (let turn = process.pid; ; turn += 1) {
      const key = CompileCache.keyOf([String(turn % 3)]);
      const failure = await cache.keep(key, new Uint8Array(2 ** 21).fill(turn % 3));
      const found = await cache.find(key);
      if (failure !== undefined || found?.every((byte) => byte === turn % 3) === false) throw new Error(failure ?? 'damaged');
      writeSync(1, 'found\\n');
    }`,
  );
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: entry,
      target: 'node20',
      outDir: folder,
      emptyOutDir: false,
      rolldownOptions: { output: { entryFileNames: 'writer.mjs' } },
    },
    ssr: { noExternal: true, resolve: { conditions: ['@longrun/source', 'node'] } },
  });
  return path.join(folder, 'writer.mjs');
}

interface Writer {
  readonly child: ChildProcess;
  readonly hasFound: Promise<unknown>;
  readonly hasEnded: Promise<unknown>;
}

function writer(program: string, cacheFolder: string): Writer {
  const child = spawn(process.execPath, [program, cacheFolder], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const hasEnded = once(child, 'close');
  return { child, hasFound: Promise.race([once(child.stdout, 'data'), hasEnded]), hasEnded };
}
