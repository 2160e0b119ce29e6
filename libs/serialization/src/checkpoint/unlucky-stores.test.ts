import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { flipBit } from '../../test/flip-bit.js';
import { entriesOf, rowsOfSteps, writeLogFile } from '../../test/log-of.js';
import { writeSnapshotFiles } from '../../test/snapshot-folder.js';
import { UnreliableStore } from '../../test/unreliable-store.js';
import { withFault } from '../fault-point/fault-point.js';
import { sha256Of } from '../sha256.js';
import {
  DeletionFailed,
  type ObjectBody,
  type ObjectStore,
  type PutOptions,
  type TransferOptions,
} from '../store/object-store.js';
import { openObjectStore } from '../store/open-object-store.js';
import { StoreAround, type StoreOperation } from '../store/store-around.js';
import { StoreStalled } from '../store/watched-store.js';
import { CheckpointStore } from './checkpoint-store.js';
import { readHead } from './head.js';
import { acquireLease, type Lease } from './lease.js';
import type { Manifest } from './manifest.js';
import { newestLog } from './manifests.js';
import type { Snapshot } from './snapshot.js';

const PREFIX = 'experiments/exp_1';
const FROZEN = 'weights that stay';

let folder: string;
let files: ObjectStore;
let store: UnreliableStore;
let lease: Lease;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'review-'));
  files = await openObjectStore(`file:${folder}/objects`);
  store = new UnreliableStore(files);
  lease = await acquireLease(store, PREFIX, { fence: 1, holder: 'worker-a' });
});
afterEach(async () => {
  await rm(folder, { recursive: true, maxRetries: 20 });
});

test('rows kept by keepLog are there although the store failed right after the head was written', async () => {
  const first = new CheckpointStore(store, PREFIX);
  for (const step of [10, 20]) await first.commit(lease, await snapshotAt(step));
  await first.settled();
  // An older checkpoint has a damaged manifest; the newest is whole.
  await flipBitAt(`${PREFIX}/checkpoints/10-1.json`);
  lease = await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  const second = new CheckpointStore(store, PREFIX);
  expect(await second.newestValid(path.join(folder, 'restored'))).toMatchObject({ manifest: { step: 20 } });
  const log = await rows(21, 30);
  await withFault('keep-log.written', async (fault) => {
    const kept = second.keepLog(lease, log);
    await fault.fired;
    store.failNext({ method: 'get', when: 'before', error: new Error('the network is down') });
    fault.goOn();
    await expect(kept).rejects.toThrow('the network is down');
  });
  await second.settled();
  const head = await readHead(files, PREFIX);
  // Either the head does not name them, or they are there.
  expect(await missing(head?.log?.log.flatMap(({ keys }) => keys) ?? [])).toEqual([]);
});

test('a log that cannot be written waits for the blobs in flight, which are removed with what was put', async () => {
  const slow = new SlowBlobs(files);
  lease = await acquireLease(slow, PREFIX, { fence: 2, holder: 'worker-b' });
  const checkpoints = new CheckpointStore(slow, PREFIX);
  const contents = Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [name, `content of ${name}`]));
  const snapshot = { ...(await writeSnapshotFiles(folder, 100, contents)), log: await rows(1, 9) };
  let isOver = false;
  const commit = checkpoints.commit(lease, snapshot).finally(() => (isOver = true));
  commit.catch(() => undefined);
  await expect.poll(() => slow.hasFailed).toBe(true);
  expect(isOver).toBe(false);
  slow.goOn();
  await expect(commit).rejects.toThrow('the network is down');
  await checkpoints.settled();
  const left: string[] = [];
  for await (const { key } of files.list(`${PREFIX}/`)) left.push(key);
  expect(left).toEqual([`${PREFIX}/head.json`]);
});

test('what throws after the head was swapped removes nothing that the head names', async () => {
  const checkpoints = new CheckpointStore(store, PREFIX);
  await checkpoints.commit(lease, await snapshotAt(100));
  await withFault('commit.head-swapped', async (fault) => {
    const commit = checkpoints.commit(lease, await snapshotAt(200));
    await fault.fired;
    fault.goOn(new Error('a fault'));
    await expect(commit).rejects.toThrow('a fault');
  });
  await checkpoints.settled();
  expect(await new CheckpointStore(files, PREFIX).newestValid(path.join(folder, 'restored'))).toMatchObject({
    manifest: { step: 200 },
    rejected: [],
  });
});

test.each([1, 2, 3])(
  'keepLast %i: answers of compare-and-sets are lost, and no row of the log is',
  async (keepLast) => {
    const checkpoints = await withSevenRows(keepLast);
    for (let lost = 0; lost < keepLast; lost += 1) {
      const step = 8 + lost;
      const snapshot = { ...(await snapshotAt(step)), log: await rows(8, step) };
      await withFault('commit.manifest-written', async (fault) => {
        const commit = checkpoints.commit(lease, snapshot);
        await fault.fired;
        store.failNext({ method: 'compareAndSet', when: 'after', error: new Error('the network is down') });
        fault.goOn();
        await expect(commit).rejects.toThrow('the network is down');
      });
    }
    const last = 8 + keepLast;
    const manifest = await checkpoints.commit(lease, { ...(await snapshotAt(last)), log: await rows(8, last) });
    await checkpoints.settled();
    expect(await entriesOf(files, manifest)).toEqual(rowsOfSteps(1, last));
  },
);

test('keepLast 1: the same commit is tried again after a lost answer, as the worker does', async () => {
  const checkpoints = await withSevenRows(1);
  store.failNext({ method: 'compareAndSet', when: 'after', error: new Error('the network is down') });
  const snapshot = { ...(await snapshotAt(8)), log: await rows(8, 8) };
  await expect(checkpoints.commit(lease, snapshot)).rejects.toThrow('the network is down');
  const manifest = await checkpoints.commit(lease, snapshot);
  await checkpoints.settled();
  expect(await entriesOf(files, manifest)).toEqual(rowsOfSteps(1, 8));
});

test('keepLast 1: a full disk right after the head was set, within one commit', async () => {
  const checkpoints = await withSevenRows(1);
  store.failNext({ method: 'compareAndSet', when: 'after', error: full() });
  const manifest = await checkpoints.commit(lease, { ...(await snapshotAt(8)), log: await rows(8, 8) });
  await checkpoints.settled();
  expect(await entriesOf(files, manifest)).toEqual(rowsOfSteps(1, 8));
});

test('keepLast 1: the log kept at the end of an attempt whose last commit got no answer', async () => {
  const checkpoints = await withSevenRows(1);
  store.failNext({ method: 'compareAndSet', when: 'after', error: new Error('the network is down') });
  await expect(checkpoints.commit(lease, { ...(await snapshotAt(8)), log: await rows(8, 8) })).rejects.toThrow(
    'the network is down',
  );
  await checkpoints.keepLog(lease, await rows(8, 9));
  await checkpoints.settled();
  expect(await entriesOf(files, await newestLog(files, PREFIX))).toEqual(rowsOfSteps(1, 9));
});

test('one object of an older checkpoint that cannot be read keeps nobody from committing', async () => {
  const broken = new Unreadable(files);
  lease = await acquireLease(broken, PREFIX, { fence: 2, holder: 'worker-b' });
  const checkpoints = new CheckpointStore(broken, PREFIX);
  const first = await checkpoints.commit(lease, await frozenAt(100));
  await checkpoints.commit(lease, await frozenAt(200));
  broken.unreadable = keyOf(first);
  await checkpoints.commit(lease, await frozenAt(300));
});

test('keepLast 1: a first copy that cannot be read is no loss while there is the second', async () => {
  const broken = new Unreadable(files);
  lease = await acquireLease(broken, PREFIX, { fence: 2, holder: 'worker-b' });
  const checkpoints = new CheckpointStore(broken, PREFIX, { keepLast: 1 });
  broken.unreadable = keyOf(await checkpoints.commit(lease, await frozenAt(100)));
  expect(await checkpoints.newestValid(path.join(folder, 'restored'))).toMatchObject({ manifest: { step: 100 } });
});

test('keepLast 1: one flipped bit in the manifest does not cost the run', async () => {
  const checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 1 });
  for (const step of [100, 200]) await checkpoints.commit(lease, await frozenAt(step));
  await checkpoints.settled();
  await flipBitAt(`${PREFIX}/checkpoints/200-1.json`);
  expect((await new CheckpointStore(files, PREFIX).newestValid(path.join(folder, 'restored'))).manifest).toBeDefined();
});

test('a checkpoint is not rejected for a key that was damaged before it was written anew', async () => {
  const checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 3 });
  const [k1, k2] = [
    keyOf(await checkpoints.commit(lease, await frozenAt(100))),
    keyOf(await checkpoints.commit(lease, await frozenAt(200))),
  ];
  await flipBitAt(k1);
  await checkpoints.commit(lease, await frozenAt(300));
  await checkpoints.settled();
  await flipBitAt(k2);
  const fourth = await checkpoints.commit(lease, await frozenAt(400));
  await checkpoints.settled();
  expect(sha256Of((await files.get(keyOf(fourth))) ?? Buffer.of())).toBe(sha256Of(Buffer.from(FROZEN)));
  const fifth = await checkpoints.commit(lease, await frozenAt(500));
  await checkpoints.settled();
  expect.soft(lease.head().checkpoints.map(({ step }) => step)).toEqual([500, 400, 300]);
  // And one flipped bit now costs them all.
  await flipBitAt(keyOf(fifth));
  expect((await new CheckpointStore(files, PREFIX).newestValid(path.join(folder, 'restored'))).manifest).toBeDefined();
});

test.each(['stalled', 'answered'] as const)(
  'a delete (%s) that lands late removes nothing that a head names',
  async (answer) => {
    const late = new LateDeletes(files);
    lease = await acquireLease(late, PREFIX, { fence: 2, holder: 'worker-b' });
    const checkpoints = new CheckpointStore(late, PREFIX);
    late.next = answer;
    await withFault('commit.blobs-written', async (fault) => {
      const commit = checkpoints.commit(lease, await frozenAt(100));
      await fault.fired;
      fault.goOn(new Error('the network is down'));
      await expect(commit).rejects.toThrow('the network is down');
    });
    await checkpoints.commit(lease, await frozenAt(100));
    await checkpoints.settled();
    if (answer === 'stalled') await checkpoints.commit(lease, await frozenAt(200));
    await checkpoints.settled();
    await late.land();
    const newest = await checkpoints.newestValid(path.join(folder, 'restored'));
    expect(newest).toMatchObject({ manifest: { step: answer === 'stalled' ? 200 : 100 }, rejected: [] });
  },
);

test('a disk that is full when the head is to be written is freed of what the commit has written', async () => {
  const disk = new SmallDisk(files);
  lease = await acquireLease(disk, PREFIX, { fence: 2, holder: 'worker-b' });
  const checkpoints = new CheckpointStore(disk, PREFIX);
  await checkpoints.commit(lease, await largeAt(100));
  await checkpoints.settled();
  const before = await stored();
  const manifestBytes = (await files.get(`${PREFIX}/checkpoints/100-2.json`))?.byteLength ?? 0;
  // There is room for the file and the manifest, not for the head.
  disk.mostBytes = (await disk.used()) + 100_000 + manifestBytes + 50;
  await expect(checkpoints.commit(lease, await largeAt(200))).rejects.toThrow('there is no room');
  await checkpoints.settled();
  expect.soft(await stored()).toEqual(before);
  // A hundred thousand bytes would be free for this one.
  await checkpoints.commit(lease, await snapshotAt(300));
});

test('what cannot be removed keeps nothing else from being removed', async () => {
  const locked = new Locked(files, `${PREFIX}/blobs/1/`);
  const there = `${folder}/objects/${PREFIX}/blobs/1`;
  await mkdir(there, { recursive: true });
  for (let number = 0; number < 1_000; number += 1)
    await writeFile(path.join(there, String(number).padStart(64, '0')), '');
  lease = await acquireLease(locked, PREFIX, { fence: 2, holder: 'worker-b' });
  const checkpoints = new CheckpointStore(locked, PREFIX, { keepLast: 2 });
  for (let step = 1; step <= 20; step += 1) await checkpoints.commit(lease, await snapshotAt(step));
  await checkpoints.settled();
  expect((await stored()).filter((key) => key.includes('/blobs/2/'))).toHaveLength(2);
});

test('a damaged manifest in the head keeps a full disk from nothing that is garbage', async () => {
  const first = new CheckpointStore(files, PREFIX);
  for (const step of [100, 200]) await first.commit(lease, await snapshotAt(step));
  await first.settled();
  await flipBitAt(`${PREFIX}/checkpoints/100-1.json`);
  const disk = new SmallDisk(files);
  lease = await acquireLease(disk, PREFIX, { fence: 2, holder: 'worker-b' });
  await files.put(`${PREFIX}/blobs/1/${'0'.repeat(64)}`, Buffer.alloc(1_000_000));
  disk.mostBytes = await disk.used();
  const checkpoints = new CheckpointStore(disk, PREFIX);
  await checkpoints.newestValid(path.join(folder, 'restored'));
  await checkpoints.commit(lease, await largeAt(300));
});

/** A store one object of which cannot be read. */
class Unreadable extends StoreAround {
  unreadable = '';

  protected override async around<T>(
    { method, keys }: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    const reads = method === 'get' || method === 'openRead' || method === 'download';
    if (reads && keys.includes(this.unreadable))
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
    return await perform(options);
  }
}

/** A store that does not take logs, and takes blobs when it is told to go on, whether they are still wanted or not. */
class SlowBlobs extends StoreAround {
  hasFailed = false;
  goOn: () => void = () => {};
  readonly #goingOn = new Promise<void>((resolve) => (this.goOn = resolve));

  protected override async around<T>(
    { method, keys }: StoreOperation,
    _options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    if (method !== 'put') return await perform({});
    if (keys.some((key) => key.includes('/log/'))) {
      this.hasFailed = true;
      throw new Error('the network is down');
    }
    await this.#goingOn;
    return await perform({});
  }
}

/** A store in which one deletion lands later than it is given up, or answered. */
class LateDeletes extends StoreAround {
  next: 'stalled' | 'answered' | undefined;
  #late: (() => Promise<unknown>) | undefined;

  async land(): Promise<void> {
    await this.#late?.();
  }

  protected override async around<T>(
    { method }: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    const { next } = this;
    if (method !== 'delete' || next === undefined) return await perform(options);
    this.next = undefined;
    this.#late = async () => await perform({});
    // A request that got no answer was made again, and the second was faster.
    if (next === 'answered') return await perform(options);
    throw new StoreStalled('nothing has moved');
  }
}

class SmallDisk extends StoreAround {
  mostBytes = Infinity;
  readonly #files: ObjectStore;

  constructor(inner: ObjectStore) {
    super(inner);
    this.#files = inner;
  }

  async used(): Promise<number> {
    let sum = 0;
    for await (const { sizeBytes } of this.#files.list(PREFIX)) sum += sizeBytes;
    return sum;
  }

  override async put(key: string, body: ObjectBody, options: PutOptions = {}): ReturnType<ObjectStore['put']> {
    const size = body instanceof Uint8Array ? body.byteLength : 'path' in body ? (await stat(body.path)).size : 0;
    if ((await this.used()) + size > this.mostBytes) throw full();
    return super.put(key, body, options);
  }

  override async compareAndSet(key: string, expected: string | null, bytes: Uint8Array): Promise<string> {
    // The value that is replaced is kept for a while, and so is the new one.
    if ((await this.used()) + bytes.byteLength > this.mostBytes) throw full();
    return super.compareAndSet(key, expected, bytes);
  }

  protected override async around<T>(
    _: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    return await perform(options);
  }
}

/** A store some objects of which cannot be removed. */
class Locked extends StoreAround {
  readonly #start: string;

  constructor(inner: ObjectStore, start: string) {
    super(inner);
    this.#start = start;
  }

  override async delete(keys: readonly string[], options: TransferOptions = {}): Promise<void> {
    await super.delete(
      keys.filter((key) => !key.startsWith(this.#start)),
      options,
    );
    const [first, ...others] = keys
      .filter((key) => key.startsWith(this.#start))
      .map((key) => ({ key, reason: 'EACCES' }));
    if (first !== undefined) throw new DeletionFailed(this.url, [first, ...others]);
  }

  protected override async around<T>(
    _: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    return await perform(options);
  }
}

/** One that has committed seven checkpoints with a row of the log each: with the next one all segments are merged. */
async function withSevenRows(keepLast: number): Promise<CheckpointStore> {
  const checkpoints = new CheckpointStore(store, PREFIX, { keepLast });
  for (let step = 1; step <= 7; step += 1)
    await checkpoints.commit(lease, { ...(await snapshotAt(step)), log: await rows(step, step) });
  await checkpoints.settled();
  return checkpoints;
}

function full(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
}

async function snapshotAt(step: number): Promise<Snapshot> {
  return writeSnapshotFiles(path.join(folder, 'snapshots'), step, { state: `contents of ${step}` });
}

async function frozenAt(step: number): Promise<Snapshot> {
  return writeSnapshotFiles(path.join(folder, 'snapshots'), step, { frozen: FROZEN, state: `contents of ${step}` });
}

async function largeAt(step: number): Promise<Snapshot> {
  return writeSnapshotFiles(path.join(folder, 'snapshots'), step, { state: String(step).padEnd(100_000, '.') });
}

async function rows(firstStep: number, lastStep: number): ReturnType<typeof writeLogFile> {
  return writeLogFile(path.join(folder, 'rows'), `${firstStep}-${lastStep}`, rowsOfSteps(firstStep, lastStep));
}

function keyOf({ files: named }: Manifest): string {
  return named.find(({ name }) => name === 'frozen')?.blobKey ?? 'missing';
}

async function missing(keys: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const key of keys) if ((await files.head(key)) === undefined) found.push(key);
  return found;
}

async function flipBitAt(key: string): Promise<void> {
  await flipBit(path.join(folder, 'objects', key));
}

async function stored(): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of files.list(PREFIX)) if (!key.endsWith('head.json')) keys.push(key);
  return keys.toSorted();
}
