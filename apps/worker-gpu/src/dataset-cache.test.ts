import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Isolation } from '@longrun/platform/worker';
import { type ObjectStore, openObjectStore } from '@longrun/serialization';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DatasetCache, DatasetUnavailable } from './dataset-cache.js';

const bytes = Buffer.from('an HDF5 file, as far as a cache can tell');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const file = { fileKey: `datasets/files/${sha256}.hdf5`, sha256, sizeBytes: bytes.length };

let folder: string;
let store: ObjectStore;
let cache: DatasetCache;
let scratch: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-cache-'));
  store = await openObjectStore(pathToFileURL(join(folder, 'objects')).href);
  cache = new DatasetCache(store, join(folder, 'cache'));
  scratch = join(folder, 'scratch');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('a dataset is fetched once and kept', async () => {
  await store.put(file.fileKey, bytes);
  const path = await cache.fetch(file, scratch);
  expect(await readFile(path)).toEqual(bytes);
  await store.delete([file.fileKey]);
  expect(await cache.fetch(file, scratch)).toBe(path);
  expect(await readdir(scratch)).toEqual([]);
});

test('a cached file is hashed once, and again when it was written since or its mark is not its own', async () => {
  await store.put(file.fileKey, bytes);
  const path = await cache.fetch(file, scratch);
  await store.delete([file.fileKey]);
  const mark = await readFile(`${path}.seen`, 'utf8');
  const { atime, mtime } = await stat(path);
  const flipped = Buffer.from(bytes);
  flipped.writeUInt8(flipped.readUInt8(3) ^ 1, 3);
  await writeFile(path, flipped);
  // As old as before and as large, it is another one all the same.
  await utimes(path, atime, mtime);
  await expect(cache.fetch(file, scratch)).rejects.toThrow(DatasetUnavailable);

  // Whoever could write marks is believed: it is not read again.
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  const identity = {
    device: `${dev}`,
    inode: `${ino}`,
    sizeBytes: Number(size),
    writtenNs: `${mtimeNs}`,
    changedNs: `${ctimeNs}`,
  };
  await writeFile(`${path}.seen`, JSON.stringify(identity));
  expect(await cache.fetch(file, scratch)).toBe(path);

  await writeFile(path, bytes);
  expect(await cache.fetch(file, scratch)).toBe(path);
  expect(await readFile(`${path}.seen`, 'utf8')).not.toBe(mark);
  await writeFile(`${path}.seen`, '{"torn":');
  expect(await cache.fetch(file, scratch)).toBe(path);
  await rm(`${path}.seen`);
  expect(await cache.fetch(file, scratch)).toBe(path);
  expect(await readdir(scratch)).toEqual([]);
});

test.runIf(process.geteuid?.() === 0)(
  '(needs root) that trainers of another user are let read it does not have a cached file hashed again',
  async () => {
    await chmod(folder, 0o755);
    const isolation = await Isolation.find({ user: 'auto', stateFolder: folder, code: [] });
    expect(isolation.user).not.toBeNull();
    const umask = process.umask(0o077);
    try {
      await store.put(file.fileKey, bytes);
      const path = await cache.fetch(file, scratch);
      const { ctimeNs } = await stat(path, { bigint: true });
      for (const shared of [path, join(folder, 'cache')]) await isolation.share(shared);
      expect((await stat(path, { bigint: true })).ctimeNs).toBe(ctimeNs);
      const seen = await stat(`${path}.seen`);
      await cache.fetch(file, scratch);
      expect((await stat(`${path}.seen`)).ino).toBe(seen.ino);
    } finally {
      process.umask(umask);
    }
  },
);

test('a cached file that was damaged is fetched again', async () => {
  await store.put(file.fileKey, bytes);
  const path = await cache.fetch(file, scratch);
  const flipped = Buffer.from(bytes);
  flipped.writeUInt8(flipped.readUInt8(3) ^ 1, 3);
  await writeFile(path, flipped);
  expect(await readFile(await cache.fetch(file, scratch))).toEqual(bytes);
});

test('a dataset that is missing or damaged in the store is said to be, and nothing is cached', async () => {
  await expect(cache.fetch(file, scratch)).rejects.toThrow(DatasetUnavailable);
  await store.put(file.fileKey, Buffer.concat([bytes, Buffer.from('!')]));
  await expect(cache.fetch(file, scratch)).rejects.toThrow(/it is damaged; submit the dataset again/);
  expect(await readdir(join(folder, 'cache'))).toEqual([]);
  expect(await readdir(scratch)).toEqual([]);
});
