import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { rowsOfSteps, writeLogFile } from '../../test/log-of.js';
import { plainKeysUnder } from '../../test/plain-key.js';
import { writeSnapshotFiles } from '../../test/snapshot-folder.js';
import { UnreliableStore } from '../../test/unreliable-store.js';
import { withFault } from '../fault-point/fault-point.js';
import { sha256Of } from '../sha256.js';
import { PreconditionFailed, type TransferOptions } from '../store/object-store.js';
import { openObjectStore } from '../store/open-object-store.js';
import { StoreAround, type StoreOperation } from '../store/store-around.js';
import { CheckpointStore } from './checkpoint-store.js';
import { acquireLease, type Lease, LeaseLost } from './lease.js';
import type { Snapshot } from './snapshot.js';

const PREFIX = 'experiments/exp_1';

let folder: string;
let store: UnreliableStore;
let checkpoints: CheckpointStore;
let lease: Lease;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cleaning-'));
  store = new UnreliableStore(await openObjectStore(`file:${folder}/objects`));
  checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 2 });
  lease = await acquireLease(store, PREFIX, { fence: 1, holder: 'worker-a' });
});
afterEach(async () => {
  store.checkAllFailed();
  // What is done after a commit may still be under way.
  await rm(folder, { recursive: true, maxRetries: 20 });
});

test('what earlier fences have left goes before the first blob of a later one is written', async () => {
  await checkpoints.commit(lease, await snapshotAt(100));
  const left = [
    ...['blobs/1', 'log/a/1', 'log/b/1'].map((place) => `${PREFIX}/${place}/${'0'.repeat(64)}`),
    `${PREFIX}/blobs/1/${'0'.repeat(64)}-2`,
    `${PREFIX}/checkpoints/150-1.json`,
  ];
  for (const key of left) await store.put(key, Buffer.from('by a worker that was killed'));
  const successor = await takeOver();
  store.calls.length = 0;
  await checkpoints.commit(successor, await snapshotAt(200));
  const [first] = store.calls.filter((call) => call.startsWith('put ') || call.startsWith('delete '));
  expect(first).toBe(`delete ${left.toSorted().join(' ')}`);
});

test('of very many leftovers a commit removes a bounded number, in batches, and lists no more than that', async () => {
  await checkpoints.commit(lease, await snapshotAt(100));
  const there = `${folder}/objects/${PREFIX}/blobs/1`;
  await mkdir(there, { recursive: true });
  const names = Array.from({ length: 5_000 }, (_, number) => String(number).padStart(64, '0'));
  await Promise.all(names.map(async (name) => await writeFile(path.join(there, name), '')));
  const successor = await takeOver();
  const leftBefore = (await stored()).length;
  store.calls.length = 0;
  store.listed = 0;

  await checkpoints.commit(successor, await snapshotAt(200));
  await checkpoints.settled();

  const deletes = store.calls.filter((call) => call.startsWith('delete ')).map((call) => call.split(' ').length - 1);
  expect(Math.max(...deletes)).toBeLessThanOrEqual(1_000);
  expect(deletes.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(4_000);
  expect(store.listed).toBeLessThan(4_100);
  expect((await stored()).length).toBeLessThan(leftBefore - 1_000);
  for (const step of [300, 400]) await checkpoints.commit(successor, await snapshotAt(step));
  await checkpoints.settled();
  expect(await stored()).toHaveLength(4);
});

test.each(['commit.blobs-written', 'commit.log-written', 'commit.manifest-written'] as const)(
  'a commit that fails at %s removes at once what it has put',
  async (point) => {
    await checkpoints.commit(lease, await snapshotAt(100));
    await checkpoints.settled();
    const before = await stored();
    await withFault(point, async (fault) => {
      const commit = checkpoints.commit(lease, { ...(await snapshotAt(200)), log: await rows(1, 9) });
      await fault.fired;
      expect((await stored()).length).toBeGreaterThan(before.length);
      fault.goOn(new Error('the network is down'));
      await expect(commit).rejects.toThrow('the network is down');
    });
    await checkpoints.settled();
    expect(await stored()).toEqual(before);
  },
);

test.each(['before', 'after'] as const)(
  'what a commit has put that failed %s its head was written stays until it is known whether the head names it',
  async (when) => {
    await checkpoints.commit(lease, await snapshotAt(100));
    store.failNext({ method: 'compareAndSet', when, error: new Error('the network is down') });
    await expect(checkpoints.commit(lease, await snapshotAt(200))).rejects.toThrow('the network is down');
    expect(await stored()).toContain(blob('contents of 200'));

    await checkpoints.commit(lease, await snapshotAt(300));
    await checkpoints.settled();
    expect(lease.head().checkpoints.map(({ step }) => step)).toEqual([300, when === 'after' ? 200 : 100]);
    expect(await stored()).toHaveLength(4);
    expect((await stored()).includes(blob('contents of 200'))).toBe(when === 'after');
  },
);

test('a disk that was full for a while is no disk that is full for ever', async () => {
  await checkpoints.commit(lease, await snapshotAt(100));
  for (const step of [200, 300, 400]) {
    store.failNext({ method: 'compareAndSet', when: 'before', error: full() });
    store.failNext({ method: 'compareAndSet', when: 'before', error: full() });
    await expect(checkpoints.commit(lease, await snapshotAt(step))).rejects.toThrow('ENOSPC');
    // That of the first, and of this one.
    expect((await stored()).filter((key) => key.includes('/blobs/')).length).toBeLessThanOrEqual(2);
  }
  await checkpoints.commit(lease, await snapshotAt(500));
  await checkpoints.settled();
  expect(await stored()).toHaveLength(4);
});

test('where there is no room what nobody needs is removed, and it is tried once more', async () => {
  const left: unknown[] = [];
  await checkpoints.commit(lease, await snapshotAt(100));
  const leftover = `${PREFIX}/blobs/1/${'0'.repeat(64)}`;
  await store.put(leftover, Buffer.from('by a worker that was killed'));
  const successor = await takeOver((error) => left.push(error));
  // So that it is still there.
  store.failNext({ method: 'delete', when: 'before', error: new Error('the network is down') });
  store.failNext({ method: 'put', when: 'before', error: full() });
  await checkpoints.commit(successor, await snapshotAt(200));
  expect(left).toHaveLength(1);
  expect(await stored()).not.toContain(leftover);
});

test('where there is still no room it says what to do, and nothing of it is left', async () => {
  await checkpoints.commit(lease, await snapshotAt(100));
  await checkpoints.settled();
  const before = await stored();
  for (let time = 1; time <= 2; time += 1) store.failNext({ method: 'put', when: 'before', error: full() });
  await expect(checkpoints.commit(lease, await snapshotAt(200))).rejects.toThrow(
    /^checkpoints of experiments\/exp_1: there is no room in file:.* \(ENOSPC: no space left on device\), .* removed; free some there/u,
  );
  expect(await stored()).toEqual(before);
});

test('a commit is done when its head is written: nobody waits for what is removed after it', async () => {
  for (const step of [100, 200]) await checkpoints.commit(lease, await snapshotAt(step));
  await checkpoints.settled();
  const removing = store.hangNext('delete');
  await checkpoints.commit(lease, await snapshotAt(300));
  await removing;
  await lease.exclusive(async () => await lease.reread());
  await lease.end('done');
});

test('who has lost the lease removes nothing any more', async () => {
  for (const step of [100, 200]) await checkpoints.commit(lease, await snapshotAt(step));
  await checkpoints.settled();
  store.calls.length = 0;
  await withFault('commit.head-swapped', async (fault) => {
    const commit = checkpoints.commit(lease, await snapshotAt(300));
    await fault.fired;
    await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
    fault.goOn();
    await commit;
  });
  await checkpoints.settled();
  expect(store.calls.filter((call) => call.startsWith('delete '))).toEqual([]);
  await expect(checkpoints.commit(lease, await snapshotAt(400))).rejects.toThrow(LeaseLost);
});

test('a commit that comes too late removes what it has put after its successor has cleaned', async () => {
  await checkpoints.commit(lease, await snapshotAt(100));
  await checkpoints.settled();
  const late = checkpoints;
  await withFault('commit.blobs-written', async (fault) => {
    const commit = late.commit(lease, { ...(await snapshotAt(200)), log: await rows(1, 9) });
    await fault.fired;
    // Both copies of its log, which is written beside the blobs: a successor cleans what is there by then.
    await expect.poll(async () => (await stored()).filter((key) => key.includes('/log/'))).toHaveLength(2);
    const successor = await takeOver();
    for (const step of [150, 160]) await checkpoints.commit(successor, await snapshotAt(step));
    await checkpoints.settled();
    const needed = await stored();
    fault.goOn();
    await expect(commit).rejects.toThrow(LeaseLost);
    await late.settled();
    expect(await stored()).toEqual(needed);
  });
});

test('a commit that comes too late leaves what its successor needs, also where the store says wrongly that it was not done', async () => {
  await checkpoints.commit(lease, await snapshotAt(100));
  const overtaking = new OvertakingStore(store);
  const late = new CheckpointStore(overtaking, PREFIX, { keepLast: 2 });
  const overtaken = await acquireLease(overtaking, PREFIX, { fence: 2, holder: 'worker-b' });
  overtaking.afterNextSet(async () => await acquireLease(store, PREFIX, { fence: 3, holder: 'worker-c' }));
  await expect(late.commit(overtaken, await snapshotAt(200))).rejects.toThrow(LeaseLost);
  await late.settled();
  const newest = await checkpoints.newestValid(path.join(folder, 'restored'));
  expect([newest.manifest?.step, newest.rejected]).toEqual([200, []]);
});

/** Sets a register, does something, and says that it was not set. */
class OvertakingStore extends StoreAround {
  #meanwhile: (() => Promise<unknown>) | undefined;

  afterNextSet(meanwhile: () => Promise<unknown>): void {
    this.#meanwhile = meanwhile;
  }

  protected override async around<T>(
    { method, keys }: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    const answer = await perform(options);
    const meanwhile = this.#meanwhile;
    if (method !== 'compareAndSet' || meanwhile === undefined) return answer;
    this.#meanwhile = undefined;
    await meanwhile();
    throw new PreconditionFailed(keys.join(', '), null);
  }
}

async function takeOver(onGarbageLeft?: (error: unknown) => void): Promise<Lease> {
  checkpoints = new CheckpointStore(store, PREFIX, {
    keepLast: 2,
    ...(onGarbageLeft !== undefined && { onGarbageLeft }),
  });
  return acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
}

function full(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
}

async function snapshotAt(step: number): Promise<Snapshot> {
  return writeSnapshotFiles(path.join(folder, 'snapshots'), step, { state: `contents of ${step}` });
}

async function rows(firstStep: number, lastStep: number): ReturnType<typeof writeLogFile> {
  return writeLogFile(path.join(folder, 'rows'), `${firstStep}-${lastStep}`, rowsOfSteps(firstStep, lastStep));
}

function blob(content: string): string {
  return `${PREFIX}/blobs/1/${sha256Of(Buffer.from(content))}`;
}

async function stored(): Promise<string[]> {
  return await plainKeysUnder(store, PREFIX);
}
