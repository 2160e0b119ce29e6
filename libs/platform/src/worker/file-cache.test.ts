import { execFileSync } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';

import { smallDisk } from '../testing/small-disk.js';
import { FileCache, type HeldFile, type WantedFile } from './file-cache.js';

let folder: string;
let cache: FileCache;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-file-cache-'));
  cache = new FileCache(folder, { mostBytes: 1000 });
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function wantedOf(name: string, bytes: Uint8Array): WantedFile {
  return { name, sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length };
}

/** Of so many bytes, all of them the first letter of the name. */
function bytesOf(name: string, sizeBytes: number): Buffer {
  return Buffer.alloc(sizeBytes, name);
}

async function add(name: string, sizeBytes = 400, to = cache): Promise<HeldFile> {
  const bytes = bytesOf(name, sizeBytes);
  return released(await to.add(wantedOf(name, bytes), async (path) => await writeFile(path, bytes)));
}

async function take(name: string, sizeBytes = 400, from = cache): Promise<HeldFile | undefined> {
  const held = await from.take(wantedOf(name, bytesOf(name, sizeBytes)));
  return held === undefined ? undefined : released(held);
}

/** A file that is held to the end of the test at most. */
function released(held: HeldFile): HeldFile {
  onTestFinished(async () => await held.release());
  return held;
}

/** Adds files that nobody holds, each used before the one after it. */
async function addInOrder(...names: readonly string[]): Promise<void> {
  for (const [index, name] of names.entries()) {
    await (await add(name)).release();
    await usedAt(name, index);
  }
}

/** Sets when a file was used last: the time that the system keeps is too coarse to tell two uses in a test apart. */
async function usedAt(name: string, second: number): Promise<void> {
  for (const entry of await readdir(join(folder, 'kept')))
    if (entry.startsWith(`${name}~`)) await utimes(join(folder, 'kept', entry, 'pins'), second, second);
}

async function kept(): Promise<string[]> {
  return (await readdir(join(folder, 'kept'))).map((entry) => entry.split('~')[0] ?? '').toSorted();
}

test('what was added is held where it is, read-only, and by a cache of another process too', async () => {
  const held = await add('a');
  expect(await readFile(held.path)).toEqual(bytesOf('a', 400));
  expect((await stat(held.path)).mode & 0o777).toBe(0o444);
  expect((await take('a', 400, new FileCache(folder, { mostBytes: 0 })))?.path).toBe(held.path);
  expect(await take('b')).toBeUndefined();
});

test.runIf(process.platform === 'linux')('a file is hashed once, however often it is taken', async () => {
  const bytes = randomBytes(16 * 2 ** 20);
  const wanted = wantedOf('large', bytes);
  const large = new FileCache(folder, { mostBytes: Infinity });
  const { path } = await large.add(wanted, async (target) => await writeFile(target, bytes));
  const mark = join(path, '..', 'mark');
  const before = bytesRead();
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const held = await new FileCache(folder, { mostBytes: Infinity }).take(wanted);
    expect(held?.path).toBe(path);
    await held?.release();
  }
  expect(bytesRead() - before).toBeLessThan(2 ** 20);

  await rm(mark);
  for (let attempt = 0; attempt < 10; attempt += 1) await (await large.take(wanted))?.release();
  expect(bytesRead() - before).toBeGreaterThanOrEqual(bytes.length);
  expect(bytesRead() - before).toBeLessThan(bytes.length + 2 ** 20);
});

/** By this process so far, from anywhere. */
function bytesRead(): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}

test.each<[string, (path: string) => Promise<void>]>([
  [
    'changed, and is as old as before',
    async (path) => {
      const { atime, mtime } = await stat(path);
      await writeFile(path, bytesOf('x', 400), { mode: 0o644 });
      await utimes(path, atime, mtime);
    },
  ],
  ['truncated', async (path) => await truncate(path, 399)],
  [
    'replaced by another one',
    async (path) => {
      await writeFile(`${path}.new`, bytesOf('x', 400));
      await rename(`${path}.new`, path);
    },
  ],
  ['gone', async (path) => await rm(path)],
])('a kept file that was %s is removed, and added again', async (_what, damage) => {
  const held = await add('a');
  await held.release();
  // Root may write what is read-only; whoever else owns it gives himself the right.
  if (process.geteuid?.() !== 0) execFileSync('chmod', ['u+w', held.path]);
  await damage(held.path);
  expect(await take('a')).toBeUndefined();
  expect(await kept()).toEqual([]);
  expect(await readFile((await add('a')).path)).toEqual(bytesOf('a', 400));
});

test('a mark is that of one file with one content: torn, missing or of other bytes it has the file hashed', async () => {
  const { path } = await add('a');
  const mark = join(path, '..', 'mark');
  const right = await readFile(mark, 'utf8');
  for (const wrong of ['{"torn":', right.replace(/"sha256":"[0-9a-f]+"/, `"sha256":"${'0'.repeat(64)}"`)]) {
    await writeFile(mark, wrong);
    expect((await take('a'))?.path).toBe(path);
    expect(await readFile(mark, 'utf8')).toBe(right);
  }
  await rm(mark);
  expect((await take('a'))?.path).toBe(path);
  expect(await readFile(mark, 'utf8')).toBe(right);
  // Of the same name and size, but another content.
  expect(await cache.take(wantedOf('a', bytesOf('x', 400)))).toBeUndefined();
});

test('what was used least recently goes first', async () => {
  await addInOrder('a', 'b');
  await (await add('c')).release();
  expect(await kept()).toEqual(['b', 'c']);

  await usedAt('c', 3);
  // To take it, or to touch it, is to use it.
  await (await take('b'))?.release();
  await (await add('d')).release();
  expect(await kept()).toEqual(['b', 'd']);
  await usedAt('b', 4);
  await usedAt('d', 5);
  expect(await cache.touch('b')).toBe(true);
  expect(await cache.touch('c')).toBe(false);
  await (await add('e')).release();
  expect(await kept()).toEqual(['b', 'e']);
});

test('what somebody holds stays, and what finds no room beside it is used, and gone once it is released', async () => {
  const a = await add('a');
  const b = await add('b');
  await usedAt('a', 1);
  const c = await add('c');
  expect(await readFile(c.path)).toEqual(bytesOf('c', 400));
  expect(await kept()).toEqual(['a', 'b']);
  expect(await take('c')).toBeUndefined();
  await c.release();
  expect(await readdir(join(folder, 'new'))).toEqual([]);

  await b.release();
  await (await add('d')).release();
  expect(await kept()).toEqual(['a', 'd']);
  expect(await readFile(a.path)).toEqual(bytesOf('a', 400));
});

test('one that is larger than all that may be kept pushes nothing out', async () => {
  await addInOrder('a', 'b');
  const huge = await add('huge', 1001);
  expect((await stat(huge.path)).size).toBe(1001);
  await huge.release();
  expect(await kept()).toEqual(['a', 'b']);
  expect(await readdir(join(folder, 'new'))).toEqual([]);
});

test('what cannot be made leaves nothing behind, and says why', async () => {
  const wanted = wantedOf('a', bytesOf('a', 400));
  const make = async (path: string): Promise<void> => {
    await writeFile(path, 'half');
    throw new Error('the store has gone');
  };
  await expect(cache.add(wanted, make)).rejects.toThrow('the store has gone');
  expect(await readdir(join(folder, 'new'))).toEqual([]);
  expect(await kept()).toEqual([]);
  await expect(cache.add({ ...wanted, name: '../a' }, make)).rejects.toThrow('"../a" is no name of a file');
});

test('of files of which part is shared by name those of that part are forgotten, unless somebody holds one', async () => {
  const held = await add('exp_1.a', 300);
  await (await add('exp_1.b', 300)).release();
  await (await add('exp_2.a', 300)).release();
  await cache.forget((name) => name.startsWith('exp_1.'));
  expect(await kept()).toEqual(['exp_1.a', 'exp_2.a']);
  await held.release();
  await cache.forget((name) => name.startsWith('exp_1.'));
  expect(await kept()).toEqual(['exp_2.a']);
});

test('what dead processes have left is removed, and holds nothing any more', async () => {
  await addInOrder('a', 'b');
  const longAgo = new Date(Date.now() - 2 * 60 * 60_000);
  // Names as the processes of another day gave them: of no process, as numbers end below it.
  const [host = ''] = (await readFile('/proc/sys/kernel/hostname', 'utf8'))
    .trim()
    .replaceAll(/[^\w-]/gu, '_')
    .split('.');
  const dead = (): string => `${host}.4194305.${randomUUID()}.${randomUUID()}`;
  const draft = join(folder, 'new', dead());
  await mkdir(draft);
  await writeFile(join(draft, 'file'), 'half');
  await utimes(draft, longAgo, longAgo);
  const [entry = ''] = (await readdir(join(folder, 'kept'))).filter((name) => name.startsWith('a~'));
  const pin = join(folder, 'kept', entry, 'pins', dead());
  await writeFile(pin, '');
  await usedAt('a', 0);
  // Just now it may be that of a process that only others see.
  await (await add('c')).release();
  expect(await kept()).toEqual(['a', 'c']);
  expect(await readdir(join(folder, 'new'))).toEqual([]);

  await utimes(pin, longAgo, longAgo);
  await usedAt('c', 3);
  // Somebody was killed between the two halves of a removal.
  await mkdir(join(folder, 'kept', `half~${randomUUID()}`));
  await (await add('d')).release();
  expect(await kept()).toEqual(['c', 'd']);
});

test('what is held for long does not look abandoned to those who cannot see its process', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const held = [await add('a'), await add('huge', 1001)];
  const [entry = ''] = await readdir(join(folder, 'kept'));
  const [pin = ''] = await readdir(join(folder, 'kept', entry, 'pins'));
  const [draft = ''] = await readdir(join(folder, 'new'));
  const holders = [join(folder, 'kept', entry, 'pins', pin), join(folder, 'new', draft)];
  const longAgo = new Date(Date.now() - 59 * 60_000);
  for (const holder of holders) await utimes(holder, longAgo, longAgo);
  vi.advanceTimersByTime(10 * 60_000);
  for (const holder of holders)
    await vi.waitFor(async () => expect((await stat(holder)).mtimeMs).toBeGreaterThan(longAgo.getTime() + 1000));
  for (const one of held) await one.release();
  expect(vi.getTimerCount()).toBe(0);
});

test('on a full disk what nobody holds makes room, and the file is made once more', async () => {
  const disk = smallDisk();
  onTestFinished(() => disk.end());
  const size = 20 * 2 ** 20;
  const onDisk = new FileCache(join(disk.folder, 'cache'), { mostBytes: Infinity });
  const held = await add('held', size, onDisk);
  await (await add('idle', size, onDisk)).release();
  if (disk.how !== 'its disk is full') return;
  disk.break();
  let tries = 0;
  const bytes = bytesOf('new', size);
  const added = await onDisk.add(wantedOf('new', bytes), async (path) => {
    tries += 1;
    await writeFile(path, bytes);
  });
  expect(tries).toBe(2);
  expect((await readFile(added.path)).equals(bytes)).toBe(true);
  expect((await readFile(held.path)).equals(bytesOf('held', size))).toBe(true);
  expect(await take('idle', size, onDisk)).toBeUndefined();

  // Nothing is left that could go.
  const more = bytesOf('more', size);
  await expect(onDisk.add(wantedOf('more', more), async (path) => await writeFile(path, more))).rejects.toMatchObject({
    code: 'ENOSPC',
  });
  expect(await readdir(join(disk.folder, 'cache', 'new'))).toEqual([]);
});
