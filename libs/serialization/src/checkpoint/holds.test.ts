import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { flipBit } from '../../test/flip-bit.js';
import { writeSnapshotFiles } from '../../test/snapshot-folder.js';
import { UnreliableStore } from '../../test/unreliable-store.js';
import { openObjectStore } from '../store/open-object-store.js';
import { PreconditionFailed } from '../store/object-store.js';
import { CheckpointAbsent } from './checkpoint-reader.js';
import { CheckpointStore } from './checkpoint-store.js';
import { encodeHead, type Head, headKey, type Hold, readHead, readVersionedHead } from './head.js';
import { holdCheckpoint, PIN, releaseCheckpoint, TooManyHolds } from './holds.js';
import { acquireLease, type Lease } from './lease.js';
import type { Manifest } from './manifest.js';
import type { Snapshot } from './snapshot.js';
import { downloadFiles } from './stored-files.js';

const PREFIX = 'experiments/exp_1';
const pin = { name: PIN };

let folder: string;
let store: UnreliableStore;
let checkpoints: CheckpointStore;
let lease: Lease;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'holds-'));
  store = new UnreliableStore(await openObjectStore(`file:${folder}/objects`));
  checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 2 });
  lease = await acquireLease(store, PREFIX, { fence: 1, holder: 'worker-a' });
});
afterEach(async () => {
  vi.useRealTimers();
  store.checkAllFailed();
  await checkpoints.settled();
  await rm(folder, { recursive: true, maxRetries: 20 });
});

test('a checkpoint that is held is kept beside the last ones, all its bytes with it, until it is released', async () => {
  const held = await commit(100);
  await commit(200);
  await holdCheckpoint(store, PREFIX, 100, pin);
  for (const step of [300, 400, 500]) await commit(step);
  expect(await steps()).toEqual([500, 400, 100]);
  await downloadFiles(store, held, path.join(folder, 'downloaded'));
  expect(await releaseCheckpoint(store, PREFIX, 100, PIN)).toBe(true);
  expect(await steps()).toEqual([500, 400, 100]);
  await commit(600);
  expect(await steps()).toEqual([600, 500]);
  expect(await store.get(held.files[0]?.blobKey ?? '')).toBeUndefined();
});

test('a hold changes nothing but the holds, and needs no lease, also of a run that has ended', async () => {
  await commit(100);
  await lease.end('succeeded');
  const before = await theHead();
  const [entry] = before.checkpoints;
  const held = await holdCheckpoint(store, PREFIX, entry?.manifestKey ?? '', pin);
  expect(await theHead()).toEqual({ ...before, checkpoints: [held] });
  expect(held).toEqual({ ...entry, holds: [pin] });
  expect(await releaseCheckpoint(store, PREFIX, 100, PIN)).toBe(true);
  expect(await releaseCheckpoint(store, PREFIX, 100, PIN)).toBe(false);
  expect(await theHead()).toEqual(before);
});

test('a hold of a time lasts until it has passed; put on again it lasts until the later', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-01-01T00:00:00Z') });
  await commit(100);
  const hold = { name: 'download 1', until: '2026-01-01T01:00:00.000Z' };
  await holdCheckpoint(store, PREFIX, 100, hold);
  await holdCheckpoint(store, PREFIX, 100, { ...hold, until: '2026-01-01T00:30:00Z' });
  expect((await theHead()).checkpoints[0]?.holds).toEqual([hold]);
  await holdCheckpoint(store, PREFIX, 100, { ...hold, until: '2026-01-01T02:00:00+00:00' });
  expect((await theHead()).checkpoints[0]?.holds).toEqual([{ ...hold, until: '2026-01-01T02:00:00.000Z' }]);
  for (const step of [200, 300]) await commit(step);
  vi.setSystemTime(new Date('2026-01-01T01:59:59Z'));
  await commit(400);
  expect(await steps()).toEqual([400, 300, 100]);
  vi.setSystemTime(new Date('2026-01-01T02:00:00Z'));
  await commit(500);
  expect(await steps()).toEqual([500, 400]);
});

test('a hold that has passed goes with the next write, and one without a time is not shortened', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-01-01T00:00:00Z') });
  const until = '2026-01-01T01:00:00.000Z';
  await commit(100);
  await holdCheckpoint(store, PREFIX, 100, pin);
  await holdCheckpoint(store, PREFIX, 100, { name: PIN, until });
  await holdCheckpoint(store, PREFIX, 100, { name: 'download 1', until });
  expect((await theHead()).checkpoints[0]?.holds).toEqual([pin, { name: 'download 1', until }]);
  vi.setSystemTime(new Date(until));
  await commit(200);
  expect((await theHead()).checkpoints.map(({ holds }) => holds)).toEqual([undefined, [pin]]);
});

test('what there is not is said with what there is, also when it is gone', async () => {
  await expect(holdCheckpoint(store, 'experiments/exp_2', 100, pin)).rejects.toThrow(
    'nothing was ever written under experiments/exp_2',
  );
  await expect(holdCheckpoint(store, PREFIX, 100, pin)).rejects.toThrow(
    'no checkpoint of step 100, or not any more; it has none',
  );
  for (const step of [100, 200, 300]) await commit(step);
  await expect(holdCheckpoint(store, PREFIX, 100, pin)).rejects.toThrow(
    `${PREFIX} has no checkpoint of step 100, or not any more; it has 300-1, 200-1`,
  );
  await expect(holdCheckpoint(store, PREFIX, 'x', pin)).rejects.toThrow(CheckpointAbsent);
  await expect(releaseCheckpoint(store, PREFIX, 'x', PIN)).rejects.toThrow(CheckpointAbsent);
});

test.each([
  [{ name: '' }, 'its name is ""'],
  [{ name: 'a\nb' }, 'its name is "a\\nb"'],
  [{ name: PIN, until: 'tomorrow' }, 'until is "tomorrow"; give a time to come, as ISO 8601'],
  [{ name: PIN, until: '2001-01-01T00:00:00Z' }, 'give a time to come'],
])('a hold that is none is refused: %j', async (hold, reason) => {
  await commit(100);
  await expect(holdCheckpoint(store, PREFIX, 100, hold)).rejects.toThrow(reason);
});

test('more than a thousand holds are refused with what to do, and those that have passed are none of them', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-01-01T00:00:00Z') });
  await commit(100);
  const until = '2026-01-01T00:10:00.000Z';
  await withHolds(
    100,
    Array.from({ length: 1_000 }, (_, number) => ({ name: `download ${number}`, until })),
  );
  const refused = holdCheckpoint(store, PREFIX, 100, pin);
  await expect(refused).rejects.toThrow(TooManyHolds);
  await expect(refused).rejects.toThrow('checkpoints/100-1.json has 1000 holds, which is the most; release some');
  await holdCheckpoint(store, PREFIX, 100, { name: 'download 7', until: '2026-01-01T00:20:00Z' });
  vi.setSystemTime(new Date(until));
  const held = await holdCheckpoint(store, PREFIX, 100, pin);
  expect(held.holds).toEqual([{ name: 'download 7', until: '2026-01-01T00:20:00.000Z' }, pin]);
});

test('a held checkpoint is not replaced by one of the same step: that comes beside it', async () => {
  const held = await commit(100);
  await holdCheckpoint(store, PREFIX, 100, pin);
  for (const step of [100, 200, 300, 400]) await commit(step);
  expect(await steps()).toEqual([400, 300, 100]);
  await downloadFiles(store, held, path.join(folder, 'downloaded'));
  await commit(500, { score: 1 });
  await commit(500);
  expect((await theHead()).checkpoints.map(({ step, score }) => [step, score])).toEqual([
    [500, 1],
    [400, undefined],
    [100, undefined],
  ]);
});

test('a step is released where it is held, which may be an older checkpoint of it', async () => {
  await commit(100);
  await holdCheckpoint(store, PREFIX, 100, pin);
  await commit(100);
  expect(await steps()).toEqual([100, 100]);
  expect(await releaseCheckpoint(store, PREFIX, 100, PIN)).toBe(true);
  expect((await theHead()).checkpoints.flatMap(({ holds = [] }) => holds)).toEqual([]);
});

test('a held checkpoint that is damaged stays, counts for nothing, and keeps nobody from anything', async () => {
  const damaged = await commit(100);
  await holdCheckpoint(store, PREFIX, 100, pin);
  await flipBit(path.join(folder, 'objects', damaged.files[0]?.blobKey ?? ''));
  const newest = await checkpoints.newestValid(path.join(folder, 'restored'));
  expect(newest.rejected).toMatchObject([{ step: 100 }]);
  for (const step of [200, 300, 400]) await commit(step);
  expect(await steps()).toEqual([400, 300, 100]);
});

test('one whose manifest is lost stays, and what is garbage is removed all the same', async () => {
  for (const step of [100, 200]) await commit(step);
  await holdCheckpoint(store, PREFIX, 100, pin);
  await flipBit(path.join(folder, 'objects', `${PREFIX}/checkpoints/100-1.json`));
  const later = new CheckpointStore(store, PREFIX, { keepLast: 2 });
  const [gone] = (await later.commit(lease, await snapshotAt(300))).files;
  for (const step of [400, 500, 600]) await later.commit(lease, await snapshotAt(step));
  await later.settled();
  expect(await steps()).toEqual([600, 500, 100]);
  expect(await store.get(gone?.blobKey ?? '')).toBeUndefined();
});

test.each(['commit', 'outcome'] as const)(
  'of a %s whose answer was lost, and on which a hold was put, it is known that it has succeeded, and the hold stays',
  async (what) => {
    await commit(100);
    const newest = what === 'commit' ? 200 : 100;
    const conflict = new PreconditionFailed('head.json', null);
    store.failNext({ method: 'compareAndSet', when: 'after', error: conflict });
    const another = new UnreliableStore(await openObjectStore(`file:${folder}/objects`));
    let wasHeld = false;
    store.beforeNext('readRegister', async () => {
      await holdCheckpoint(another, PREFIX, newest, pin);
      wasHeld = true;
    });
    if (what === 'commit') await commit(200);
    else await lease.end('succeeded');
    expect(wasHeld).toBe(true);
    expect(lease.head()).toEqual(await theHead());
    expect(await theHead()).toMatchObject(
      what === 'commit'
        ? { checkpoints: [{ step: 200, holds: [pin] }, { step: 100 }] }
        : { outcome: 'succeeded', checkpoints: [{ step: 100, holds: [pin] }] },
    );
  },
);

test('a hold that comes as a commit is about to drop the checkpoint wins', async () => {
  for (const step of [100, 200]) await commit(step);
  const another = new UnreliableStore(await openObjectStore(`file:${folder}/objects`));
  store.beforeNext('compareAndSet', async () => void (await holdCheckpoint(another, PREFIX, 100, pin)));
  await commit(300);
  expect(await steps()).toEqual([300, 200, 100]);
});

test('a hold that comes after it is refused', async () => {
  for (const step of [100, 200]) await commit(step);
  const slow = new UnreliableStore(await openObjectStore(`file:${folder}/objects`));
  slow.beforeNext('compareAndSet', async () => void (await commit(300)));
  await expect(holdCheckpoint(slow, PREFIX, 100, pin)).rejects.toThrow(CheckpointAbsent);
  expect(await steps()).toEqual([300, 200]);
});

test('forty downloads that begin and end at once all have their hold, and let go of it', async () => {
  await commit(100);
  const names = Array.from({ length: 40 }, (_, number) => `download ${number}`);
  await Promise.all(names.map((name) => holdCheckpoint(store, PREFIX, 100, { name })));
  const held = (await theHead()).checkpoints.flatMap(({ holds = [] }) => holds.map(({ name }) => name));
  expect(held.toSorted()).toEqual(names.toSorted());
  const released = await Promise.all(names.map((name) => releaseCheckpoint(store, PREFIX, 100, name)));
  expect(released).toEqual(names.map(() => true));
  expect((await theHead()).checkpoints[0]?.holds).toBeUndefined();
});

test('whoever comes second again and again lets others by before the next try', async () => {
  await commit(100);
  const conflict = new PreconditionFailed('head.json', null);
  for (let failures = 0; failures < 14; failures += 1) {
    store.failNext({ method: 'compareAndSet', when: 'before', error: conflict });
  }
  const beganAtMs = performance.now();
  await holdCheckpoint(store, PREFIX, 100, pin);
  // Fourteen reads alone take a tenth of it; what is drawn is less than that once in ten million times.
  expect(performance.now() - beganAtMs).toBeGreaterThan(200);
});

test('a head without holds and scores is one that earlier builds read, any other is refused by them', async () => {
  await commit(100);
  expect(await versionOfHead()).toBe(2);
  await holdCheckpoint(store, PREFIX, 100, pin);
  expect(await versionOfHead()).toBe(3);
  await releaseCheckpoint(store, PREFIX, 100, PIN);
  expect(await versionOfHead()).toBe(2);
  await commit(200, { score: 0.5 });
  expect(await versionOfHead()).toBe(3);
});

async function commit(step: number, more: Partial<Snapshot> = {}): Promise<Manifest> {
  const manifest = await checkpoints.commit(lease, { ...(await snapshotAt(step)), ...more });
  await checkpoints.settled();
  return manifest;
}

/** Puts holds on a checkpoint, all in one write. */
async function withHolds(of: number, holds: readonly Hold[]): Promise<void> {
  const current = await readVersionedHead(store, PREFIX);
  if (current === undefined) throw new Error('There is no head');
  const { head, version } = current;
  const held = head.checkpoints.map((entry) => (entry.step === of ? { ...entry, holds } : entry));
  await store.compareAndSet(headKey(PREFIX), version, encodeHead({ ...head, checkpoints: held }));
}

async function snapshotAt(step: number): Promise<Snapshot> {
  return writeSnapshotFiles(path.join(folder, 'snapshots'), step, { state: `contents of ${step}` });
}

async function theHead(): Promise<Head> {
  const head = await readHead(store, PREFIX);
  if (head === undefined) throw new Error('There is no head');
  return head;
}

async function steps(): Promise<number[]> {
  return (await theHead()).checkpoints.map(({ step }) => step);
}

async function versionOfHead(): Promise<unknown> {
  const head = await store.readRegister(`${PREFIX}/head.json`);
  return JSON.parse(Buffer.from(head?.bytes ?? []).toString()).version;
}

test('a time that no head can say is refused, and the head can be read on', async () => {
  await commit(100);
  for (const until of ['+010000-01-01T00:00:00.000Z', 'Jan 1, 12000']) {
    await expect(holdCheckpoint(store, PREFIX, 100, { name: 'fork x', until })).rejects.toThrow(RangeError);
  }
  await holdCheckpoint(store, PREFIX, 100, { name: 'fork x', until: '9999-12-31T23:59:59.999Z' });
  await commit(200);
  expect(await steps()).toEqual([200, 100]);
});
