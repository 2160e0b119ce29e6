import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import {
  acquireLease,
  CheckpointReader,
  exportFile,
  exportFiles,
  holdCheckpoint,
  isDiskFull,
  type Manifest,
  newestManifest,
  type ObjectStore,
  openObjectStore,
  readHead,
  readSnapshotFile,
  type Snapshot,
  StoreFull,
} from '../src/index.js';
import type { TransferOptions } from '../src/store/object-store.js';
import { StoreAround, type StoreOperation } from '../src/store/store-around.js';
import { filesBelow } from './files-below.js';
import { contentsAt } from './contents-at.js';
import { rowsAt, writeLogFile } from './log-of.js';
import { type Scarce, SmallDisk, WITHOUT_DISKS } from './small-disk.js';
import { writeSnapshotFiles } from './snapshot-folder.js';
import { expectNewest, Worker } from './workers-on-a-store.js';

const PREFIX = 'experiments/exp_1';
const PAGE_BYTES = 4_096;

const given = WITHOUT_DISKS === undefined ? describe : describe.skip;

given(`on a disk that is full${WITHOUT_DISKS === undefined ? '' : `: ${WITHOUT_DISKS}`}`, () => {
  test.each<readonly [Scarce, Files, readonly string[]]>([
    ['pages', 'copied', ['blobs', 'log', 'checkpoints', 'head.json']],
    ['names', 'copied', ['blobs', 'log', 'checkpoints', 'head.json']],
    ['pages', 'given', ['log', 'checkpoints', 'head.json']],
    ['names', 'given', ['blobs', 'log', 'checkpoints', 'head.json']],
  ])(
    'whatever number of %s is left, a commit of %s files leaves nothing and costs nothing, or is done',
    async (scarce, files, places) => {
      const { disk, store, folder } = await fullDisk();
      const worker = await Worker.start(store, 1, folder);
      for (const step of [1, 2, 3]) await worker.commit(step);
      await worker.checkpoints.settled();
      let step = 3;
      const refused = new Set<string>();
      for (let left = 0; step === 3; left += left < 20 && scarce === 'pages' && files === 'copied' ? 5 : 1) {
        store.refused.length = 0;
        const { snapshot, close } = await snapshotAt(4, files === 'given' ? disk.folder : folder, files, store);
        const before = await filesBelow(store.root);
        disk.leave(left, scarce);
        const failure: unknown = await worker.checkpoints
          .commit(worker.lease, snapshot)
          .catch((error: unknown) => error);
        await worker.checkpoints.settled();
        if (failure instanceof Error) {
          expectRefused(failure, worker, store);
          await expectFiles(store, before);
          for (const place of store.refused) refused.add(place);
        } else step = 4;
        await expectNewest(store, folder, step);
        await close();
      }
      expect([...refused].toSorted()).toEqual([...places].toSorted());
      disk.free();
      await worker.commit(5);
      await worker.checkpoints.settled();
      const next = await Worker.start(store, 2, folder);
      expect(next.restored).toBe(5);
      await next.commit(6);
      await next.checkpoints.settled();
      await expectNewest(store, folder, 6);
    },
  );

  test('commits go on after each that was refused, again and again, and no row is lost or doubled', async () => {
    const { disk, store, folder } = await fullDisk();
    const worker = await Worker.start(store, 1, folder);
    await worker.commit(1);
    let refused = 0;
    for (let step = 2; step <= 12; step += 1) {
      await worker.checkpoints.settled();
      // From none to what is enough.
      disk.leave(3 * (step - 2), 'pages');
      const failure: unknown = await worker.commit(step).catch((error: unknown) => error);
      disk.free();
      if (failure === undefined) continue;
      expectRefused(failure, worker, store);
      refused += 1;
      await expectNewest(store, folder, step - 1);
      await worker.commit(step);
    }
    expect(refused).toBeGreaterThan(7);
    await worker.checkpoints.settled();
    await expectNewest(store, folder, 12);
  });

  test('what nobody needs is removed where there is no room, and the commit is done', async () => {
    const { store, folder } = await fullDisk(new SmallDisk({ names: 4_096 }));
    const killed = await Worker.start(store, 1, folder);
    await killed.commit(1);
    await killed.checkpoints.settled();
    const left = path.join(store.root, PREFIX, 'blobs/1');
    // More than a commit removes before it writes: of 2,600 pages 600 stay.
    for (let number = 0; number < 2_600; number += 1)
      await writeFile(path.join(left, String(number).padStart(64, '0')), 'by a worker that was killed');
    const worker = await Worker.start(store, 2, folder);
    const snapshot = await writeSnapshotFiles(folder, 2, { 'large.bin': Buffer.alloc(3_700 * PAGE_BYTES, 1) });
    await worker.checkpoints.commit(worker.lease, snapshot);
    expect(store.refused).toEqual(['blobs']);
    await worker.checkpoints.settled();
    const newest = await worker.checkpoints.newestValid(path.join(folder, 'restored'));
    expect(newest).toMatchObject({ manifest: { step: 2 }, rejected: [] });
    expect(await readdir(left)).toHaveLength(2);
  });

  test('a lease is neither taken, ended nor released without room, which the error names, and is so later', async () => {
    const { disk, store, folder } = await fullDisk();
    const worker = await Worker.start(store, 1, folder);
    await worker.commit(1);
    await worker.checkpoints.settled();
    disk.leave(0, 'pages');
    const before = await filesBelow(store.root);
    const changes = [
      async () => await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-2' }),
      async () => await holdCheckpoint(store, PREFIX, 1, { name: 'pin' }),
      async () => await worker.lease.end('done'),
      async () => await worker.lease.release(),
    ];
    for (const change of changes) expectFull(await change().catch((error: unknown) => error), store);
    expect(store.refused).toEqual(changes.map(() => 'head.json'));
    expect(await filesBelow(store.root)).toEqual(before);
    expect(await readHead(store, PREFIX)).toMatchObject({ fence: 1, outcome: null });
    disk.free();
    await worker.lease.release();
    const next = await Worker.start(store, 2, folder);
    expect(next.restored).toBe(1);
    await next.commit(2);
    await next.lease.end('done');
    expect(await readHead(store, PREFIX)).toMatchObject({ fence: 2, outcome: 'done' });
    await expectNewest(store, folder, 2);
  });

  test('the log of an attempt that ends without room is kept once there is some, each row once', async () => {
    const { disk, store, folder } = await fullDisk();
    const worker = await Worker.start(store, 1, folder);
    await worker.commit(1);
    await worker.checkpoints.settled();
    const before = await filesBelow(store.root);
    const rows = await writeLogFile(folder, 'kept', rowsAt(2));
    for (const pages of [0, 1, 2]) {
      disk.leave(pages, 'pages');
      expectFull(await worker.checkpoints.keepLog(worker.lease, rows).catch((error: unknown) => error), store);
      await worker.checkpoints.settled();
      expect(await filesBelow(store.root)).toEqual(before);
    }
    expect(new Set(store.refused)).toEqual(new Set(['log', 'head.json']));
    disk.free();
    await worker.checkpoints.keepLog(worker.lease, rows);
    expect((await readHead(store, PREFIX))?.log?.log.reduce((sum, segment) => sum + segment.rows, 0)).toBe(2);
  });

  test('a checkpoint that does not fit where it is restored to is not taken for a damaged one', async () => {
    const { disk, folder } = await fullDisk();
    const elsewhere = await openObjectStore(`file:${folder}/objects`);
    const worker = await Worker.start(elsewhere, 1, folder);
    for (const step of [1, 2]) await worker.commit(step);
    await worker.checkpoints.settled();
    const target = path.join(disk.folder, 'restored');
    for (const pages of [0, 1, 30]) {
      disk.leave(pages, 'pages');
      const failure: unknown = await worker.checkpoints.newestValid(target).catch((error: unknown) => error);
      expect(isDiskFull(failure)).toBe(true);
      expect(String(failure)).toContain(target);
      expect(await filesBelow(target)).toEqual([]);
    }
    disk.free();
    const newest = await worker.checkpoints.newestValid(target);
    expect(newest).toMatchObject({ manifest: { step: 2 }, rejected: [] });
    await expectNewest(elsewhere, disk.folder, 2);
  });

  test('what does not fit where it is exported to leaves nothing there', async () => {
    const { disk, folder } = await fullDisk();
    const store = await openObjectStore(`file:${folder}/objects`);
    const worker = await Worker.start(store, 1, folder);
    await worker.commit(1);
    const manifest = (await newestManifest(store, PREFIX)) as Manifest;
    const target = path.join(disk.folder, 'exported');
    const blobKey = manifest.files[0]?.blobKey ?? '';
    for (const pages of [0, 1, 24]) {
      disk.leave(pages, 'pages');
      const before = await filesBelow(disk.folder);
      for (const bring of [
        async () => await exportFiles(store, manifest, target),
        async () => await exportFile(store, manifest, 'changing.bin', target),
        async () => await store.download(blobKey, target),
      ]) {
        const failure: unknown = await bring().catch((error: unknown) => error);
        expect(isDiskFull(failure)).toBe(true);
        expect(String(failure)).toContain(disk.folder);
      }
      expect(await filesBelow(disk.folder)).toEqual(before);
    }
    disk.free();
    await exportFiles(store, manifest, target);
    expect(await filesBelow(target)).toEqual(['changing.bin', 'constant.bin']);
    expect((await new CheckpointReader(store, PREFIX).list()).checkpoints).toHaveLength(1);
  });
});

type Files = 'copied' | 'given';

/** A disk with a store on it, and a folder on another one. */
async function fullDisk(disk = new SmallDisk()): Promise<{ disk: SmallDisk; store: WatchedFiles; folder: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'full-disk-'));
  onTestFinished(() => rm(folder, { recursive: true, maxRetries: 20 }));
  const root = path.join(disk.folder, 'objects');
  return { disk, store: new WatchedFiles(await openObjectStore(`file:${root}`), root), folder };
}

/** A store on a disk that notes what has found no room there. */
class WatchedFiles extends StoreAround {
  readonly root: string;
  /** Of each the place under its experiment. */
  readonly refused: string[] = [];

  constructor(inner: ObjectStore, root: string) {
    super(inner);
    this.root = root;
  }

  protected override async around<T>(
    { keys }: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    try {
      return await perform(options);
    } catch (error) {
      const [key = ''] = keys;
      if (isDiskFull(error)) this.refused.push(key.split('/')[2] ?? key);
      throw error;
    }
  }
}

function expectFull(failure: unknown, store: ObjectStore): void {
  expect(isDiskFull(failure)).toBe(true);
  expect(String(failure)).toContain(store.url);
  expect(String(failure)).toMatch(/ENOSPC: no space left on device.*free some/u);
}

/** A commit has found no room, and its worker goes on. */
function expectRefused(failure: unknown, { lease }: Worker, store: ObjectStore): void {
  expect(failure).toBeInstanceOf(StoreFull);
  expectFull(failure, store);
  expect(lease.signal.aborted).toBe(false);
}

async function expectFiles({ root }: WatchedFiles, expected: readonly string[]): Promise<void> {
  expect(await filesBelow(root)).toEqual(expected);
}

/** What training would have committed at a step: files in a folder, or such as are given from there. */
async function snapshotAt(
  step: number,
  folder: string,
  files: Files,
  store: ObjectStore,
): Promise<{ snapshot: Snapshot; close: () => Promise<void> }> {
  const written = await writeSnapshotFiles(path.join(folder, 'snapshots'), step, contentsAt(step));
  const log = await writeLogFile(path.join(folder, 'snapshots'), `rows-${step}`, rowsAt(step));
  const remove = async (): Promise<void> => await rm(path.join(folder, 'snapshots'), { recursive: true });
  if (files === 'copied') return { snapshot: { ...written, log }, close: remove };
  const handles = await Promise.all(written.files.map(async (file) => await open(file.path)));
  const read = written.files.map(async (file, index) => {
    const handle = handles[index];
    if (handle === undefined) throw new Error(`no handle of ${file.path}`);
    return await readSnapshotFile({ ...file, handle }, store);
  });
  const close = async (): Promise<void> => {
    for (const handle of handles) await handle.close();
    await remove();
  };
  return { snapshot: { ...written, files: await Promise.all(read), log }, close };
}
