import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FileCache } from '@longrun/platform/worker';
import {
  acquireLease,
  CheckpointStore,
  type Lease,
  type Manifest,
  type ObjectStore,
  openObjectStore,
  StoreAround,
  type StoreOperation,
  type TransferOptions,
} from '@longrun/serialization';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CheckpointCache } from './checkpoint-cache.js';
import { type OpenFile, ownFile } from './owned-file.js';

const PREFIX = 'experiments/exp_1';
const NAMES = ['parameters.safetensors', 'state.json'];

/** Counts the downloads of files of checkpoints. */
class CountingStore extends StoreAround {
  downloads = 0;

  protected override async around<T>(
    { method, keys }: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    if (method === 'download' && keys.some((key) => key.includes('/blobs/'))) this.downloads += 1;
    return await perform(options);
  }
}

let folder: string;
let store: CountingStore;
let lease: Lease;
let files: FileCache;
let cache: CheckpointCache;
let checkpoints: CheckpointStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-checkpoint-cache-'));
  const objects: ObjectStore = await openObjectStore(pathToFileURL(join(folder, 'objects')).href);
  store = new CountingStore(objects);
  lease = await acquireLease(store, PREFIX, { fence: 1, holder: 'worker-a' });
  files = new FileCache(join(folder, 'cache'), { mostBytes: 10_000 });
  cache = new CheckpointCache(files, 'exp_1', { keepLast: 3 });
  checkpoints = new CheckpointStore(store, PREFIX);
});

afterEach(async () => {
  await checkpoints.settled();
  await rm(folder, { recursive: true });
});

/** Commits a snapshot and keeps it, as a worker does; `meanwhile` happens before it is kept. */
async function commit(
  step: number,
  meanwhile: (opened: readonly OpenFile[]) => Promise<void> = async () => {},
): Promise<Manifest> {
  const snapshot = join(folder, `step-${step}`);
  await mkdir(snapshot);
  const opened: OpenFile[] = [];
  for (const name of NAMES) {
    const path = join(snapshot, name);
    await writeFile(path, contentOf(name, step), { mode: 0o644 });
    opened.push({ name, path, handle: await open(path, 'r+') });
  }
  const owned = await Promise.all(opened.map((file) => ownFile(file)));
  for (const { handle } of opened) expect((await handle.stat()).mode & 0o777).toBe(0o600);
  const manifest = await checkpoints.commit(lease, { step, files: opened, environment: {} });
  await meanwhile(opened);
  await cache.keep(manifest, owned);
  for (const { handle } of opened) await handle.close();
  // As a trainer does once it is told.
  await rm(snapshot, { recursive: true });
  return manifest;
}

/** Of one size for all steps. */
function contentOf(name: string, step: number): string {
  return `${name} of step ${String(step).padStart(3, '0')}`;
}

/** What the next attempt finds, and how many files it has read from the store. */
async function resume(
  local = new CheckpointCache(files, 'exp_1', { keepLast: 3 }),
): Promise<{ step: number; downloads: number; cache: CheckpointCache }> {
  const before = store.downloads;
  const to = await mkdtemp(join(folder, 'given-'));
  const found = await new CheckpointStore(store, PREFIX, { local }).newestValid(to);
  if (found.manifest === undefined) throw new Error('there is no checkpoint');
  const { step } = found.manifest;
  for (const name of NAMES) expect(await readFile(join(found.folder, name), 'utf8')).toBe(contentOf(name, step));
  await local.keepFetched(found.manifest, found.folder);
  // A trainer that is another user reads them.
  for (const name of NAMES) expect((await stat(join(found.folder, name))).mode & 0o777).toBe(0o444);
  return { step, downloads: store.downloads - before, cache: local };
}

/** The kept files of an experiment, all of which have the permissions that they should. */
async function keptOf(part: string): Promise<string[]> {
  const entries = (await readdir(join(files.folder, 'kept'))).filter((entry) => entry.startsWith(`${part}.`));
  const paths = entries.map((entry) => join(files.folder, 'kept', entry, 'file'));
  for (const path of paths) expect((await stat(path)).mode & 0o777).toBe(0o444);
  return paths;
}

test('who goes on here reads no file from the store, however often; who goes on elsewhere reads each once', async () => {
  await commit(1);
  await commit(2);
  for (let attempt = 0; attempt < 3; attempt += 1) expect(await resume()).toMatchObject({ step: 2, downloads: 0 });

  files = new FileCache(join(folder, 'elsewhere'), { mostBytes: 10_000 });
  expect(await resume()).toMatchObject({ step: 2, downloads: NAMES.length });
  expect(await resume()).toMatchObject({ step: 2, downloads: 0 });
});

test('files are not copied to be kept, nor to be used', async () => {
  const inodes: bigint[] = [];
  await commit(1, async (opened) => {
    for (const { handle } of opened) inodes.push((await handle.stat({ bigint: true })).ino);
  });
  await resume();
  const [given = ''] = (await readdir(folder)).filter((name) => name.startsWith('given-'));
  const [checkpoint = ''] = await readdir(join(folder, given));
  for (const [index, name] of NAMES.entries())
    expect((await stat(join(folder, given, checkpoint, name), { bigint: true })).ino).toBe(inodes[index]);
});

test('a checkpoint that was found here, and may be damaged in the store, pushes no older one out', async () => {
  for (const step of [1, 2]) await commit(step);
  lease = await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 2, local: cache });
  expect((await checkpoints.newestValid(join(folder, 'given'))).manifest?.step).toBe(2);
  await commit(3);
  expect(lease.head().checkpoints.map(({ step }) => step)).toEqual([3, 2, 1]);

  lease = await acquireLease(store, PREFIX, { fence: 3, holder: 'worker-c' });
  checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 2 });
  await checkpoints.newestValid(join(folder, 'given'));
  await commit(4);
  expect(lease.head().checkpoints.map(({ step }) => step)).toEqual([4, 3]);
});

test.each<[string, (path: string) => Promise<void>]>([
  [
    'changed, and are as old as before',
    async (path) => {
      const { atime, mtime, size } = await stat(path);
      await rm(path);
      await writeFile(path, 'x'.repeat(size));
      await utimes(path, atime, mtime);
    },
  ],
  [
    'truncated',
    async (path) => {
      await rm(path);
      await writeFile(path, 'short');
    },
  ],
  ['gone', async (path) => await rm(dirname(path), { recursive: true })],
])('files that were %s are read from the store', async (_what, damage) => {
  await commit(1);
  for (const path of await keptOf('exp_1')) await damage(path);
  expect(await resume()).toMatchObject({ step: 1, downloads: NAMES.length });
  expect(await resume()).toMatchObject({ step: 1, downloads: 0 });
});

test('what its trainer writes to a file after the commit is noticed, before it is kept and after', async () => {
  await commit(1, async ([file]) => void (await file?.handle.write('x', 0)));
  expect(await resume()).toMatchObject({ step: 1, downloads: 1 });

  const leftOpen: OpenFile[] = [];
  await commit(2, async ([file]) => {
    if (file !== undefined) leftOpen.push({ ...file, handle: await open(file.path, 'r+') });
  });
  for (const { handle } of leftOpen) {
    await handle.write('x', 0);
    await handle.close();
  }
  expect(leftOpen).toHaveLength(1);
  expect(await resume()).toMatchObject({ step: 2, downloads: 1 });
});

test('a name that leads to another file by the time it is kept keeps the file that was committed', async () => {
  const secret = join(folder, 'secret');
  await writeFile(secret, contentOf('state.json', 9));
  await commit(1, async ([parameters, state]) => {
    for (const { path } of [parameters, state].filter((file) => file !== undefined)) await rm(path);
    await symlink(secret, parameters?.path ?? '');
    await writeFile(state?.path ?? '', contentOf('state.json', 9));
  });
  expect(await readFile(secret, 'utf8')).toBe(contentOf('state.json', 9));
  expect(await resume()).toMatchObject({ step: 1, downloads: 0 });
});

test('of an experiment the files of the newest two checkpoints are kept, of one that has ended none, of another one they stay', async () => {
  const other = new CheckpointCache(files, 'exp_10', { keepLast: 3 });
  const first = await commit(1);
  await other.keepFetched(
    first,
    (await new CheckpointStore(store, PREFIX).newestValid(join(folder, 'given'))).folder ?? '',
  );
  for (let step = 2; step <= 4; step += 1) await commit(step);
  expect(await keptOf('exp_1')).toHaveLength(2 * NAMES.length);
  expect(await resume()).toMatchObject({ step: 4, downloads: 0 });

  // An attempt that goes on keeps that from which it went on, and its own.
  ({ cache } = await resume());
  await commit(5);
  expect(await keptOf('exp_1')).toHaveLength(2 * NAMES.length);
  await cache.forget();
  expect(await keptOf('exp_1')).toEqual([]);
  expect(await keptOf('exp_10')).toHaveLength(NAMES.length);
  expect(await resume()).toMatchObject({ step: 5, downloads: NAMES.length });
});

test('what cannot be kept stops nothing', async () => {
  await writeFile(join(folder, 'file'), '');
  cache = new CheckpointCache(new FileCache(join(folder, 'file'), { mostBytes: 10_000 }), 'exp_1', { keepLast: 3 });
  await commit(1);
  expect(await resume(cache)).toMatchObject({ step: 1, downloads: NAMES.length });
});
