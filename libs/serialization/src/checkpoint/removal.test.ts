import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { writeSnapshotFiles } from '../../test/snapshot-folder.js';
import { UnreliableStore } from '../../test/unreliable-store.js';
import { openObjectStore } from '../store/open-object-store.js';
import { DeletionFailed } from '../store/object-store.js';
import { CheckpointStore } from './checkpoint-store.js';
import { headKey, readHead } from './head.js';
import { holdCheckpoint, PIN } from './holds.js';
import { acquireLease, type Lease, LeaseLost, LeaseRefused } from './lease.js';
import { removeRun } from './removal.js';
import type { Snapshot } from './snapshot.js';

const PREFIX = 'experiments/exp_1';
const tombstone = { fence: 5, holder: 'record', outcome: { reason: 'cancelled' } };

let folder: string;
let store: UnreliableStore;
let checkpoints: CheckpointStore;
let lease: Lease;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'removal-'));
  store = new UnreliableStore(await openObjectStore(`file:${folder}/objects`));
  checkpoints = new CheckpointStore(store, PREFIX);
  lease = await acquireLease(store, PREFIX, { fence: 1, holder: 'worker-a' });
  await checkpoints.commit(lease, await snapshotAt(100));
  await store.put(`${PREFIX}/spec.json`, Buffer.from('{}'));
  await store.put('experiments/exp_12/spec.json', Buffer.from('{}'));
});
afterEach(async () => {
  store.checkAllFailed();
  await checkpoints.settled();
  await rm(folder, { recursive: true, maxRetries: 20 });
});

test('of a run that is removed a tombstone is left, and whoever holds the lease loses it and what it writes', async () => {
  // Somebody holds a checkpoint between the look at the head and its end.
  store.beforeNext('compareAndSet', async () => {
    await holdCheckpoint(store, PREFIX, 100, { name: PIN });
  });
  await removeRun(store, PREFIX, tombstone);
  expect(await keysLeft()).toEqual([headKey(PREFIX), 'experiments/exp_12/spec.json']);
  expect(await readHead(store, PREFIX)).toMatchObject({ ...tombstone, checkpoints: [], log: null });

  await expect(checkpoints.commit(lease, await snapshotAt(200))).rejects.toThrow(LeaseLost);
  await checkpoints.settled();
  expect(await keysLeft()).toEqual([headKey(PREFIX), 'experiments/exp_12/spec.json']);
  await expect(acquireLease(store, PREFIX, { fence: 9, holder: 'worker-b' })).rejects.toThrow(LeaseRefused);
  store.calls.length = 0;
  await removeRun(store, PREFIX, { ...tombstone, fence: 6 });
  expect(store.calls).toEqual([`readRegister ${headKey(PREFIX)}`]);
});

test('what a removal could not remove the next one does, also where the head is damaged', async () => {
  store.failNext({
    method: 'delete',
    when: 'before',
    error: new DeletionFailed('file:x', [{ key: 'k', reason: 'busy' }]),
  });
  await expect(removeRun(store, PREFIX, tombstone)).rejects.toThrow(DeletionFailed);
  expect((await keysLeft()).length).toBeGreaterThan(2);
  const present = await store.readRegister(headKey(PREFIX));
  await store.compareAndSet(headKey(PREFIX), present?.version ?? null, Buffer.from('no head'));
  await removeRun(store, PREFIX, tombstone);
  expect(await keysLeft()).toEqual([headKey(PREFIX), 'experiments/exp_12/spec.json']);
  expect(await readHead(store, PREFIX)).toMatchObject(tombstone);
});

async function keysLeft(): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('experiments/')) keys.push(key);
  return keys.toSorted();
}

async function snapshotAt(step: number): Promise<Snapshot> {
  return writeSnapshotFiles(path.join(folder, 'snapshots'), step, { state: `contents of ${step}` });
}
