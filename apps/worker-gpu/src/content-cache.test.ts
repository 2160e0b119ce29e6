import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FileCache, type HeldFile, Isolation } from '@longrun/platform/worker';
import { type ObjectStore, openObjectStore } from '@longrun/serialization';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { ContentCache, ContentUnavailable, DATASETS } from './content-cache.js';

const bytes = Buffer.from('an HDF5 file, as far as a cache can tell');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const file = { fileKey: `datasets/files/${sha256}.hdf5`, sha256, sizeBytes: bytes.length };

let folder: string;
let store: ObjectStore;
let files: FileCache;
let cache: ContentCache;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-cache-'));
  store = await openObjectStore(pathToFileURL(join(folder, 'objects')).href);
  files = new FileCache(join(folder, 'cache'), { mostBytes: 1000 });
  cache = new ContentCache(store, files, DATASETS);
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function fetch(from = cache): Promise<HeldFile> {
  const held = await from.fetch(file);
  onTestFinished(async () => await held.release());
  return held;
}

test('a dataset is fetched once and kept', async () => {
  await store.put(file.fileKey, bytes);
  const held = await fetch();
  expect(await readFile(held.path)).toEqual(bytes);
  await held.release();
  await store.delete([file.fileKey]);
  expect((await fetch()).path).toBe(held.path);
});

test('a dataset for which there is no room is fetched and used, each time', async () => {
  await store.put(file.fileKey, bytes);
  const small = new ContentCache(store, new FileCache(join(folder, 'cache'), { mostBytes: 1 }), DATASETS);
  const held = await fetch(small);
  expect(await readFile(held.path)).toEqual(bytes);
  await held.release();
  await store.delete([file.fileKey]);
  await expect(small.fetch(file)).rejects.toThrow(ContentUnavailable);
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
      const { path } = await fetch();
      const { ctimeNs } = await stat(path, { bigint: true });
      for (const shared of [path, files.folder]) await isolation.share(shared);
      expect((await stat(path, { bigint: true })).ctimeNs).toBe(ctimeNs);
      // Whoever gets to the cache gets to the file.
      for (let above = dirname(path); above !== files.folder; above = dirname(above))
        expect((await stat(above)).mode & 0o005).toBe(0o005);
      const mark = await stat(join(dirname(path), 'mark'));
      await fetch();
      expect((await stat(join(dirname(path), 'mark'))).ino).toBe(mark.ino);
    } finally {
      process.umask(umask);
    }
  },
);

test('a cached file that was damaged is fetched again', async () => {
  await store.put(file.fileKey, bytes);
  const held = await fetch();
  await held.release();
  const flipped = Buffer.from(bytes);
  flipped.writeUInt8(flipped.readUInt8(3) ^ 1, 3);
  await chmod(held.path, 0o644);
  await writeFile(held.path, flipped);
  expect(await readFile((await fetch()).path)).toEqual(bytes);
});

test('a dataset that is missing or damaged in the store is said to be, and nothing is cached', async () => {
  await expect(cache.fetch(file)).rejects.toThrow(ContentUnavailable);
  await store.put(file.fileKey, Buffer.concat([bytes, Buffer.from('!')]));
  await expect(cache.fetch(file)).rejects.toThrow(/it is damaged; submit the dataset again/);
  for (const below of ['kept', 'new']) expect(await readdir(join(files.folder, below))).toEqual([]);
});
