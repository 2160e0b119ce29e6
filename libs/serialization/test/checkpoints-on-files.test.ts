import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import * as fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';

import {
  acquireLease,
  CheckpointReader,
  CheckpointStore,
  HeadDamaged,
  type ObjectStore,
  openObjectStore,
  readHead,
  Verification,
  withFault,
} from '../src/index.js';
import type { TransferOptions } from '../src/store/object-store.js';
import { StoreAround, type StoreOperation } from '../src/store/store-around.js';
import { COMMIT_POINTS, expectNewest, testWorkers, Worker } from './workers-on-a-store.js';

const PREFIX = 'experiments/exp_1';
const SEED = 20_150_601;
const DAY_MS = 24 * 3_600_000;

testWorkers({
  open: async () => {
    const url = `file:${await newFolder()}`;
    return { url, store: await openObjectStore(url), environment: {} };
  },
  // From the first commit on; by then there are old ones to remove, and parts of the log to merge.
  passages: [1, 2, 3, 8],
  sleeps: COMMIT_POINTS,
});

test.each(['EIO', 'ENOSPC'])(
  '%s at any call of a commit leaves the last checkpoint, and costs nothing later',
  async (code) => {
    const folder = await newFolder();
    const store = new FailingStore(await openObjectStore(`file:${folder}/objects`), code);
    const worker = await Worker.start(store, 1, folder);
    await worker.commit(1);
    await worker.commit(2);
    await worker.checkpoints.settled();
    let step = 2;
    let refused = 0;
    for (let call = 1; ; call += 1) {
      store.failAt(call);
      const failure: unknown = await worker.commit(step + 1).catch((error: unknown) => error);
      await worker.checkpoints.settled();
      if (!store.forget()) break;
      if (failure !== undefined) {
        expectFailure(failure, code, worker);
        refused += 1;
        await expectNewest(store, folder, step);
        await worker.commit(step + 1);
        await worker.checkpoints.settled();
      }
      step += 1;
      await expectNewest(store, folder, step);
    }
    // Of no room, one that passes is not even noticed.
    expect(refused > 3).toBe(code === 'EIO');
    expect(step).toBeGreaterThan(10);
  },
);

test('whatever file of a checkpoint is damaged, and where, it is named, passed over, and costs nothing later', async () => {
  const original = await newFolder();
  const first = await Worker.start(await openObjectStore(`file:${original}/objects`), 1, original);
  for (const step of [1, 2, 3]) await first.commit(step);
  await first.checkpoints.settled();
  const keys = await filesBelow(path.join(original, 'objects', PREFIX), (name) => !name.startsWith('head.json~'));
  let passedOver = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: keys.length - 1 }), damages, async (index, damage) => {
      const key = `${PREFIX}/${keys[index]}`;
      const folder = await copyOf(original);
      const store = await openObjectStore(`file:${folder}/objects`);
      const ofNewest = await newestNeeds(store, key);
      await damage(path.join(folder, 'objects', key));

      const named = new Set<string>();
      for await (const found of new Verification(new CheckpointReader(store, PREFIX)).all())
        for (const damaged of 'damage' in found ? found.damage : []) named.add(damaged.key);
      expect([...named]).toEqual([key]);

      const lease = await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-2' });
      const checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 2 });
      const { manifest, rejected } = await checkpoints.newestValid(path.join(folder, 'restored'));
      expect(manifest?.step).toBe(ofNewest ? 2 : 3);
      const ofKey = rejected.filter(({ reason }) => reason.includes(key));
      expect([rejected.length, ofKey.length]).toEqual(ofNewest ? [1, 1] : [0, 0]);
      passedOver += rejected.length;
      const next = new Worker(lease, checkpoints, manifest?.step ?? 0, folder);
      await next.commit(next.restored + 1);
      await next.checkpoints.settled();
      await expectNewest(store, folder, next.restored + 1);
      await rm(folder, { recursive: true });
    }),
    { seed: SEED, numRuns: 20 },
  );
  expect(passedOver).toBeGreaterThan(3);
});

test('wherever the head is damaged it is as it was, or said to be damaged, and then nothing is taken, written or removed', async () => {
  const original = await newFolder();
  const first = await Worker.start(await openObjectStore(`file:${original}/objects`), 1, original);
  for (const step of [1, 2]) await first.commit(step);
  await first.checkpoints.settled();
  const generations = path.join('objects', PREFIX, 'head.json~');
  const newest = (await readdir(path.join(original, generations))).toSorted().at(-1) ?? '';
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(damages, async (damage) => {
      const folder = await copyOf(original);
      await damage(path.join(folder, generations, newest));
      const before = await contentsBelow(folder);
      const store = await openObjectStore(`file:${folder}/objects`);
      const head: unknown = await readHead(store, PREFIX).catch((error: unknown) => error);
      if (head instanceof HeadDamaged) {
        refused += 1;
        await expectLeftAlone(store, folder, before);
      } else {
        // Of what stands before the value not every bit counts.
        expectHead(head, first);
        const next = await Worker.start(store, 2, folder);
        await next.commit(3);
        await next.checkpoints.settled();
        await expectNewest(store, folder, 3);
      }
      await rm(folder, { recursive: true });
    }),
    { seed: SEED, numRuns: 25 },
  );
  expect(refused).toBeGreaterThan(10);
});

test.each([2, -2])(
  'a clock that jumps by %i days in a commit, and in the times of files, costs nothing',
  async (days) => {
    const folder = await newFolder();
    const store = await openObjectStore(`file:${folder}/objects`);
    const worker = await Worker.start(store, 1, folder);
    await worker.commit(1);
    const jumped = Date.now() + days * DAY_MS;
    onTestFinished(() => void vi.useRealTimers());
    await withFault('commit.manifest-written', async (fault) => {
      const commit = worker.commit(2);
      await fault.fired;
      vi.useFakeTimers({ toFake: ['Date'], now: jumped });
      // Another process begins, and sweeps as it does so.
      const other = await openObjectStore(`file:${folder}/objects`);
      await expectNewest(other, folder, 1);
      fault.goOn();
      await commit;
    });
    await worker.checkpoints.settled();
    const times = (jumped + days * DAY_MS) / 1_000;
    for (const name of await filesBelow(folder)) await utimes(path.join(folder, name), times, times);
    const next = await Worker.start(await openObjectStore(`file:${folder}/objects`), 2, folder);
    expect(next.restored).toBe(2);
    await next.commit(3);
    vi.useRealTimers();
    await next.commit(4);
    await next.checkpoints.settled();
    await expectNewest(store, folder, 4);
  },
);

test('workers that reach one folder by its name and by a symbolic link, and through one within, see the same', async () => {
  const folder = await newFolder();
  for (const name of ['objects', 'elsewhere']) await mkdir(path.join(folder, name));
  await symlink(path.join(folder, 'elsewhere'), path.join(folder, 'objects', 'experiments'));
  await symlink(path.join(folder, 'objects'), path.join(folder, 'link'));
  const stores = await Promise.all(['objects', 'link'].map((name) => openObjectStore(`file:${folder}/${name}`)));
  let step = 0;
  let before: Worker | undefined;
  for (const fence of [1, 2, 3, 4]) {
    for (const store of stores.slice(fence % 2, (fence % 2) + 1)) {
      const worker = await Worker.start(store, fence, folder);
      expect(worker.restored).toBe(step);
      await worker.commit((step += 1));
      await worker.checkpoints.settled();
      expect(await before?.lease.isHeld()).not.toBe(true);
      before = worker;
    }
    for (const store of stores) await expectNewest(store, folder, step);
  }
  expect((await filesBelow(path.join(folder, 'elsewhere'))).length).toBeGreaterThan(5);
});

function expectFailure(failure: unknown, code: string, worker: Worker): void {
  expect(failure).toMatchObject({ code });
  expect(worker.lease.signal.aborted).toBe(false);
}

/** Nobody takes the lease, and every file is as it was. */
async function expectLeftAlone(
  store: ObjectStore,
  folder: string,
  before: Awaited<ReturnType<typeof contentsBelow>>,
): Promise<void> {
  await expect(acquireLease(store, PREFIX, { fence: 2, holder: 'worker-2' })).rejects.toThrow(HeadDamaged);
  expect(await contentsBelow(folder)).toEqual(before);
}

function expectHead(head: unknown, { lease }: Worker): void {
  expect(head).toEqual(lease.head());
}

/** A store one call of which fails, as a disk does. */
class FailingStore extends StoreAround {
  readonly #code: string;
  #left = 0;
  #hasFired = false;

  constructor(inner: ObjectStore, code: string) {
    super(inner);
    this.#code = code;
  }

  /** The nth call from now on fails. */
  failAt(nth: number): void {
    this.#left = nth;
    this.#hasFired = false;
  }

  /** Nothing fails any more. Whether something has. */
  forget(): boolean {
    this.#left = 0;
    return this.#hasFired;
  }

  protected override async around<T>(
    { method }: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    this.#left -= 1;
    if (this.#left !== 0) return await perform(options);
    this.#hasFired = true;
    throw Object.assign(new Error(`${this.#code}: ${method} on purpose`), { code: this.#code });
  }
}

/** Each flips one bit of a file, or cuts it off. */
const damages = fc.oneof(
  fc.tuple(fc.nat(), fc.nat({ max: 7 })).map(([at, bit]) => async (file: string) => {
    const bytes = await readFile(file);
    const place = at % bytes.byteLength;
    bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
    await writeFile(file, bytes);
  }),
  fc.nat().map((size) => async (file: string) => {
    await truncate(file, size % (await readFile(file)).byteLength);
  }),
);

/** Whether an object is the newest checkpoint's manifest, or one of its files. */
async function newestNeeds(store: ObjectStore, key: string): Promise<boolean> {
  const [newest] = (await readHead(store, PREFIX))?.checkpoints ?? [];
  const manifest = Buffer.from((await store.get(newest?.manifestKey ?? '')) ?? []).toString();
  return key === newest?.manifestKey || (key.includes('/blobs/') && manifest.includes(`"${key}"`));
}

async function filesBelow(folder: string, isWanted: (name: string) => boolean = () => true): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.relative(folder, path.join(parentPath, name)))
    .filter(isWanted)
    .toSorted();
}

async function contentsBelow(folder: string): Promise<readonly (readonly [string, string])[]> {
  const names = await filesBelow(folder);
  return Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name), 'hex')] as const));
}

async function copyOf(original: string): Promise<string> {
  const folder = await newFolder();
  await cp(path.join(original, 'objects'), path.join(folder, 'objects'), { recursive: true });
  return folder;
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'checkpoints-on-files-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 20 }));
  return folder;
}
