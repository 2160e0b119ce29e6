import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { flipBit } from '../../test/flip-bit.js';
import { numberedKey } from '../../test/plain-key.js';
import { writeSnapshotFiles } from '../../test/snapshot-folder.js';
import { sha256Of } from '../sha256.js';
import type { ObjectStore } from '../store/object-store.js';
import { openObjectStore } from '../store/open-object-store.js';
import { CheckpointStore } from './checkpoint-store.js';
import { acquireLease, type Lease } from './lease.js';
import type { Manifest } from './manifest.js';
import { readSnapshotFile, SnapshotChanged } from './snapshot.js';

const PREFIX = 'experiments/exp_1';
const FROZEN = 'weights that stay';

let folder: string;
let store: ObjectStore;
let lease: Lease;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'copies-'));
  store = await openObjectStore(`file:${folder}/objects`);
  lease = await acquireLease(store, PREFIX, { fence: 1, holder: 'worker-a' });
});
afterEach(async () => {
  // What is done after a commit may still be under way.
  await rm(folder, { recursive: true, maxRetries: 20 });
});

test('of a file that is given and stored twice no two copies are one file', async () => {
  const checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 1 });
  const source = path.join(folder, 'state');
  await writeFile(source, 'state');
  const handle = await open(source);
  const file = await readSnapshotFile({ name: 'state', path: source, handle }, store);
  const { files } = await checkpoints.commit(lease, { step: 1, environment: {}, files: [file] });
  await handle.close();

  const found = await Promise.all(
    [files[0]?.blobKey, files[0]?.copyKey].map((key) => stat(path.join(folder, 'objects', key ?? ''))),
  );
  expect(found.map(({ nlink }) => nlink)).toEqual([2, 1]);
  expect(await restored(checkpoints)).toMatchObject({ manifest: { step: 1 } });
});

test('one flipped bit in a file that all checkpoints have costs the newest, not the one before it', async () => {
  const checkpoints = new CheckpointStore(store, PREFIX);
  for (const step of [100, 200]) await commit(checkpoints, step);
  await flipBitAt(keyOf(await commit(checkpoints, 300)));
  expect(await restored(checkpoints)).toMatchObject({ manifest: { step: 200 }, rejected: [{ step: 300 }] });
});

test.each([2, 3])(
  'of %i checkpoints or more a file that stays is stored twice, and written no more',
  async (keepLast) => {
    const checkpoints = new CheckpointStore(store, PREFIX, { keepLast });
    const keys: string[] = [];
    for (const step of [100, 200, 300, 400, 500]) keys.push(keyOf(await commit(checkpoints, step)));
    expect(keys).toEqual([keys[0], keys[1], keys[0], keys[1], keys[0]]);
    expect(keys[0]).not.toBe(keys[1]);
    await checkpoints.settled();
    expect(await blobsOf(FROZEN)).toHaveLength(2);
  },
);

test('of checkpoints of an earlier build, which share all that stays, the next one shares nothing with the newest', async () => {
  const checkpoints = new CheckpointStore(store, PREFIX);
  const first = await commit(checkpoints, 100);
  const shared = await entryOf({ ...(await commit(checkpoints, 200)), files: first.files });
  await lease.write((head) => ({ ...head, checkpoints: [shared, ...head.checkpoints.slice(1)] }));
  const later = new CheckpointStore(store, PREFIX);
  expect(keyOf(await commit(later, 300))).not.toBe(keyOf(first));
  expect(await restored(later)).toMatchObject({ manifest: { step: 300 }, rejected: [] });
});

test.each(['blobKey', 'copyKey'] as const)(
  'with keepLast 1 each file is kept twice, and whichever is damaged (%s) the checkpoint is whole and the next one mends it',
  async (which) => {
    const checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 1 });
    const { files } = await commit(checkpoints, 100);
    for (const file of files) await flipBitAt(file[which] ?? 'no copy');
    const found = await restored(checkpoints);
    expect(found).toMatchObject({ manifest: { step: 100 }, rejected: [] });
    expect(await readFile(path.join(found.folder ?? '', 'frozen'), 'utf8')).toBe(FROZEN);

    const next = await commit(checkpoints, 200);
    await checkpoints.settled();
    for (const { blobKey, copyKey = '', sha256 } of next.files)
      for (const key of [blobKey, copyKey]) expect(sha256Of((await store.get(key)) ?? Buffer.of())).toBe(sha256);
    expect(await blobsOf(FROZEN)).toHaveLength(2);
  },
);

test('with keepLast 1 a file that has both copies damaged rejects its checkpoint', async () => {
  const checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 1 });
  const [file] = (await commit(checkpoints, 100)).files;
  for (const key of [file?.blobKey ?? '', file?.copyKey ?? 'no copy']) await flipBitAt(key);
  expect(await restored(checkpoints)).toMatchObject({ manifest: undefined, rejected: [{ step: 100 }] });
});

test('a blob is read before it is named again: a damaged one is written anew, and its checkpoint counts no more', async () => {
  const checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 3 });
  const [first, second] = [await commit(checkpoints, 100), await commit(checkpoints, 200)];
  await flipBitAt(keyOf(first));
  const third = await commit(checkpoints, 300);
  expect(keyOf(third)).not.toBe(keyOf(first));
  expect(keyOf(third)).not.toBe(keyOf(second));
  expect(sha256Of((await store.get(keyOf(third))) ?? Buffer.of())).toBe(sha256Of(Buffer.from(FROZEN)));
  expect(lease.head().checkpoints.map(({ step }) => step)).toEqual([300, 200]);
});

test('a checkpoint whose manifest is damaged pushes no whole one out', async () => {
  const checkpoints = new CheckpointStore(store, PREFIX);
  for (const step of [100, 200, 300]) await commit(checkpoints, step);
  await flipBitAt(`${PREFIX}/checkpoints/200-1.json`);
  await commit(new CheckpointStore(store, PREFIX), 400);
  expect(lease.head().checkpoints.map(({ step }) => step)).toEqual([400, 300, 100]);
});

test('one that an earlier attempt has written and nobody has read since pushes no other out', async () => {
  const before = new CheckpointStore(store, PREFIX);
  for (const step of [100, 200, 300]) await commit(before, step);
  await before.settled();
  await flipBitAt(await numberedKey(store, `${PREFIX}/blobs/1/${sha256Of(Buffer.from('contents of 200'))}`));
  lease = await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  const checkpoints = new CheckpointStore(store, PREFIX);
  await restored(checkpoints);
  await commit(checkpoints, 400);
  expect(lease.head().checkpoints.map(({ step }) => step)).toEqual([400, 300, 200, 100]);
  await commit(checkpoints, 500);
  expect(lease.head().checkpoints.map(({ step }) => step)).toEqual([500, 400, 300]);
});

test('of attempts that commit once each there are no more than twice keepLast', async () => {
  for (let fence = 2; fence <= 8; fence += 1) {
    lease = await acquireLease(store, PREFIX, { fence, holder: 'next' });
    await commit(new CheckpointStore(store, PREFIX, { keepLast: 2 }), fence);
    expect(lease.head().checkpoints.length).toBeLessThanOrEqual(4);
  }
});

async function commit(checkpoints: CheckpointStore, step: number): Promise<Manifest> {
  const contents = { frozen: FROZEN, state: `contents of ${step}` };
  return checkpoints.commit(lease, await writeSnapshotFiles(path.join(folder, 'snapshots'), step, contents));
}

async function restored(checkpoints: CheckpointStore): ReturnType<CheckpointStore['newestValid']> {
  return checkpoints.newestValid(path.join(folder, 'restored'));
}

/** Where a checkpoint has the file that stays. */
function keyOf({ files }: Manifest): string {
  return files.find(({ name }) => name === 'frozen')?.blobKey ?? 'missing';
}

/** Replaces the manifest of a checkpoint. */
async function entryOf(manifest: Manifest): Promise<{ manifestKey: string; sha256: string; step: number }> {
  const bytes = Buffer.from(JSON.stringify(manifest));
  const manifestKey = `${PREFIX}/checkpoints/${manifest.step}-1.json`;
  await store.put(manifestKey, bytes);
  return { manifestKey, sha256: sha256Of(bytes), step: manifest.step };
}

/** Keys of the blobs that have some content. */
async function blobsOf(content: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(`${PREFIX}/blobs/`))
    if (sha256Of((await store.get(key)) ?? Buffer.of()) === sha256Of(Buffer.from(content))) keys.push(key);
  return keys;
}

async function flipBitAt(key: string): Promise<void> {
  await flipBit(path.join(folder, 'objects', key));
}

test('a file that was read to be given, and written since, is not taken for what it was', async () => {
  const source = path.join(folder, 'source');
  await writeFile(source, 'what was read');
  const handle = await open(source, 'r');
  try {
    const file = await readSnapshotFile({ name: 'state', path: source, handle }, store);
    const { mtimeNs } = await handle.stat({ bigint: true });
    // The clock of the file system goes on by ticks.
    while ((await handle.stat({ bigint: true })).mtimeNs === mtimeNs) await writeFile(source, 'what is there');
    const checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 3 });
    await expect(checkpoints.commit(lease, { step: 1, files: [file], environment: {} })).rejects.toThrow(
      SnapshotChanged,
    );
  } finally {
    await handle.close();
  }
});
