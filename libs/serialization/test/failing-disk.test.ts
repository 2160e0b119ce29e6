import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import {
  acquireLease,
  CheckpointStore,
  DiskFailed,
  newestManifest,
  type ObjectStore,
  openObjectStore,
  readHead,
} from '../src/index.js';
import { FailingDisk, WITHOUT_FAILING_DISKS } from './failing-disk.js';
import { filesBelow } from './files-below.js';
import { expectNewest, Worker } from './workers-on-a-store.js';

const PREFIX = 'experiments/exp_1';

const given = WITHOUT_FAILING_DISKS === undefined ? describe : describe.skip;

given(`on a disk that fails${WITHOUT_FAILING_DISKS === undefined ? '' : `: ${WITHOUT_FAILING_DISKS}`}`, () => {
  test('a commit whose files cannot be written fails, leaves nothing, and is done once the disk is mended', async () => {
    const { disk, store, folder, worker } = await workerOnDisk();
    const before = await filesBelow(disk.folder);
    disk.break();
    expectFailed(await worker.commit(3).catch((error: unknown) => error), store, 'written');
    await worker.checkpoints.settled();
    expect(worker.lease.signal.aborted).toBe(false);
    expect(await filesBelow(disk.folder)).toEqual(before);
    disk.mend();
    await expectNewest(store, folder, 2);
    await worker.commit(3);
    await worker.checkpoints.settled();
    await expectGoesOn(store, folder, 3);
  });

  test('a checkpoint that cannot be read now is not taken for a damaged one', async () => {
    const { disk, store, folder, worker } = await workerOnDisk();
    const before = await filesBelow(disk.folder);
    disk.break();
    expect((await newestManifest(store, PREFIX))?.step).toBe(2);
    const target = path.join(folder, 'restored');
    const restoring = worker.checkpoints.newestValid(target);
    expectFailed(await restoring.catch((error: unknown) => error), store, 'read');
    expect(await readdir(target)).toEqual([]);
    expect(await filesBelow(disk.folder)).toEqual(before);
    disk.mend();
    await expectGoesOn(store, folder, 2);
  });

  test('a head that can be neither read nor written says so, and is as it was once the disk is mended', async () => {
    const { disk, store, folder, worker } = await workerOnDisk({ holder: 'worker '.repeat(1_000) });
    disk.break();
    expectFailed(await worker.lease.end('done').catch((error: unknown) => error), store, 'written');
    expectFailed(await readHead(store, PREFIX).catch((error: unknown) => error), store, 'read');
    const taking = acquireLease(store, PREFIX, { fence: 2, holder: 'worker-2' });
    expectFailed(await taking.catch((error: unknown) => error), store, 'read');
    expect(worker.lease.signal.aborted).toBe(false);
    disk.mend();
    await expectGoesOn(store, folder, 2);
  });
});

/** A worker with two checkpoints in a store on a disk that can fail, and a folder on another one. */
async function workerOnDisk({ holder = 'worker-1' } = {}): Promise<{
  disk: FailingDisk;
  store: ObjectStore;
  folder: string;
  worker: Worker;
}> {
  const disk = new FailingDisk();
  const folder = await mkdtemp(path.join(tmpdir(), 'failing-disk-'));
  onTestFinished(() => rm(folder, { recursive: true, maxRetries: 20 }));
  const store = await openObjectStore(`file:${disk.folder}/objects`);
  const lease = await acquireLease(store, PREFIX, { fence: 1, holder });
  const worker = new Worker(lease, new CheckpointStore(store, PREFIX, { keepLast: 2 }), 0, folder);
  for (const step of [1, 2]) await worker.commit(step);
  await worker.checkpoints.settled();
  return { disk, store, folder, worker };
}

/** The next worker goes on from a step. */
async function expectGoesOn(store: ObjectStore, folder: string, step: number): Promise<void> {
  await expectNewest(store, folder, step);
  const next = await Worker.start(store, 2, folder);
  expect(next.restored).toBe(step);
  await next.commit(step + 1);
  await next.checkpoints.settled();
  await expectNewest(store, folder, step + 1);
}

function expectFailed(failure: unknown, store: ObjectStore, what: string): void {
  expect(failure).toBeInstanceOf(DiskFailed);
  expect(failure).toMatchObject({ code: 'EIO' });
  expect(String(failure)).toContain(`object store ${store.url}: ${PREFIX}/`);
  expect(String(failure)).toContain(`could not be ${what} (EIO: i/o error`);
}
