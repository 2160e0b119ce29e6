import { type FileHandle, mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { HashBehind } from './hash-behind.js';
import { sha256Of } from './sha256.js';

let folder: string;
let file: string;
let handle: FileHandle;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hash-behind-'));
  file = path.join(folder, 'growing');
  await writeFile(file, '');
  handle = await open(file);
});
afterEach(async () => {
  await handle.close();
  await rm(folder, { recursive: true });
});

test.each([true, false])(
  'the hash of what was read while it was written is that of the whole (synced: %s)',
  async (isSynced) => {
    const hash = new HashBehind(handle, { isSynced });
    const bytes = Buffer.alloc(3_000_000, 'some bytes of no pattern that a megabyte has');
    for (let end = 700_000; end < bytes.byteLength; end += 700_000) {
      await writeFile(file, bytes.subarray(end - 700_000, end), { flag: 'a' });
      hash.written(end);
      if (end > 1_500_000) await hash.settled();
    }
    const rest = bytes.subarray(Math.floor(bytes.byteLength / 700_000) * 700_000);
    await writeFile(file, rest, { flag: 'a' });
    expect(await hash.rest(bytes.byteLength)).toEqual({ sha256: sha256Of(bytes), sizeBytes: bytes.byteLength });
  },
);

test('what is written is read before the end is asked for', async () => {
  const hash = new HashBehind(handle);
  await writeFile(file, 'first as it was', { flag: 'a' });
  hash.written(5);
  await hash.settled();
  await writeFile(file, 'other');
  expect(await hash.rest()).toEqual({ sha256: sha256Of(Buffer.from('first')), sizeBytes: 5 });
});

test('of nothing the hash is that of no bytes', async () => {
  expect(await new HashBehind(handle).rest(0)).toEqual({ sha256: sha256Of(new Uint8Array()), sizeBytes: 0 });
});

test('a file that is shorter than was said has the hash of what it has', async () => {
  const hash = new HashBehind(handle);
  hash.written(1_000);
  await hash.settled();
  await writeFile(file, 'short', { flag: 'a' });
  hash.written(2_000);
  await hash.settled();
  expect(await hash.rest(1_000)).toEqual({ sha256: sha256Of(Buffer.from('short')), sizeBytes: 5 });
});

test('one that has become shorter than what was read of it is not read beyond its end', async () => {
  const hash = new HashBehind(handle);
  await writeFile(file, 'longer', { flag: 'a' });
  hash.written(6);
  await hash.settled();
  expect((await hash.rest(3)).sizeBytes).toBe(6);
});

test('what cannot be read is said at the end, and by nothing before', async () => {
  const closed = await open(file);
  await closed.close();
  const hash = new HashBehind(closed);
  hash.written(5);
  await hash.settled();
  hash.written(6);
  await expect(hash.rest()).rejects.toThrow(/closed|EBADF/u);
});

test('a file of which most is a hole is not read to its end by who is told to stop', async () => {
  await truncate(file, 2 ** 43);
  const stopped = new HashBehind(handle);
  stopped.written(2 ** 43);
  await stopped.stop();
  const leaving = new AbortController();
  const left = new HashBehind(handle).rest(2 ** 43, { signal: leaving.signal });
  leaving.abort(new Error('it was cancelled'));
  await expect(left).rejects.toThrow('it was cancelled');
  await expect(new HashBehind(handle).rest(5, { signal: leaving.signal })).rejects.toThrow('it was cancelled');
});
