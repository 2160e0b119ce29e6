import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import {
  acquireLease,
  CheckpointReader,
  CheckpointStore,
  cleanEnded,
  exportFiles,
  type FaultPoint,
  holdCheckpoint,
  type Lease,
  LeaseLost,
  LeaseRefused,
  newestManifest,
  type ObjectStore,
  PIN,
  readFired,
  readHead,
} from '../src/index.js';
import { bundleChild, Child } from './child.js';
import { contentsAt } from './contents-at.js';
import { entriesOf, rowsAt, rowsOfSteps, writeLogFile } from './log-of.js';
import { writeSnapshotFiles } from './snapshot-folder.js';

const PREFIX = 'experiments/exp_1';

/** An empty store that processes can open, too. */
export interface SharedPlace {
  readonly url: string;
  readonly store: ObjectStore;
  /** What a process needs to open it. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface SharedPlaces {
  readonly open: () => Promise<SharedPlace>;
  /** In which of its commits a worker dies, at each of the points. */
  readonly passages: readonly number[];
  /** Where in a commit a worker is stopped. */
  readonly sleeps: readonly FaultPoint[];
}

/** Where a worker dies in each of its commits, in order; a checkpoint that is named by the head then is acknowledged to nobody. */
export const COMMIT_POINTS: readonly FaultPoint[] = [
  'commit.blobs-written',
  'commit.log-written',
  'commit.manifest-written',
  'commit.head-swapped',
  'commit.collected',
];

/** What processes that write checkpoints to one store do to each other, and to themselves. */
export function testWorkers({ open, passages, sleeps }: SharedPlaces): void {
  let bundle: string;
  let bundles: string;
  beforeAll(async () => {
    bundles = await mkdtemp(path.join(tmpdir(), 'workers-'));
    bundle = await bundleChild('commit', bundles);
  });
  afterAll(() => rm(bundles, { recursive: true }));

  test('a worker killed at any point of a commit leaves the newest acknowledged checkpoint, or the one after it, whole, with all rows up to it', async () => {
    const folder = await newFolder();
    const { url, store, environment } = await open();
    const record = path.join(folder, 'fired.ndjson');
    const deaths = COMMIT_POINTS.flatMap((point) => passages.map((passage) => ({ point, passage })));

    let newestStep = 0;
    for (const [index, { point, passage }] of deaths.entries()) {
      const fence = index + 1;
      const worker = new Child(bundle, [url, PREFIX, String(fence), path.join(folder, `worker-${fence}`)], {
        ...environment,
        LONGRUN_FAULT_POINTS: `${point}=kill@${passage}`,
        LONGRUN_FAULT_RECORD: record,
      });
      await worker.killed();
      expect(readFired(record)).toHaveLength(fence);
      expect(readFired(record).at(-1)).toMatchObject({ point, passage });
      const acknowledged = newestStep + passage - 1;
      // The last one may be acknowledged before what is no longer needed is gone.
      const least = Array.from({ length: passage - 1 }, (_, line) => newestStep + 1 + line);
      const most = point === 'commit.collected' ? [...least, acknowledged + 1] : least;
      expect([least, most]).toContainEqual(worker.lines.map(Number));
      newestStep = ['commit.head-swapped', 'commit.collected'].includes(point) ? acknowledged + 1 : acknowledged;

      await expectNewest(store, folder, newestStep);
      // What was written and is not named is there, and goes with the commits of the next worker; so is what is named no more.
      expect((await unnamed(store)).length > 0).toBe(point !== 'commit.collected');
    }
    // And there was something to merge.
    const segments = (await newestManifest(store, PREFIX))?.log.length ?? 0;
    expect(newestStep < 8 || segments < newestStep).toBe(true);

    const last = await acquireLease(store, PREFIX, { fence: deaths.length + 1, holder: 'last' });
    const checkpoints = new CheckpointStore(store, PREFIX);
    await checkpoints.commit(last, await writeSnapshotFiles(folder, newestStep + 1, contentsAt(newestStep + 1)), {
      outcome: 'done',
    });
    await checkpoints.settled();
    expect(await unnamed(store)).toEqual([]);
    expect(await readHead(store, PREFIX)).toMatchObject({ fence: deaths.length + 1, outcome: 'done' });
  });

  test('what a run has left whose last worker was killed once the outcome was in the head is removed by anybody, and what is held stays', async () => {
    const folder = await newFolder();
    const { url, store, environment } = await open();
    const record = path.join(folder, 'fired.ndjson');
    const killedAt = async (fence: number, fault: string): Promise<void> => {
      const worker = new Child(bundle, [url, PREFIX, `${fence}`, path.join(folder, `worker-${fence}`), '5'], {
        ...environment,
        LONGRUN_FAULT_POINTS: fault,
        LONGRUN_FAULT_RECORD: record,
      });
      await worker.killed();
      expect(readFired(record)).toHaveLength(fence);
    };
    await killedAt(1, 'commit.manifest-written=kill@3');
    await holdCheckpoint(store, PREFIX, 1, { name: PIN });
    const beforeEnd = await keysOf(store);
    await cleanEnded(store, PREFIX);
    expect(await keysOf(store)).toEqual(beforeEnd);

    await killedAt(2, 'outcome.in-head=kill');
    const head = await readHead(store, PREFIX);
    expect(head).toMatchObject({ outcome: 'done', checkpoints: [{ step: 5 }, { step: 4 }, { step: 1 }] });
    const left = await unnamed(store);
    // What its last commit has pushed out, which it wrote itself.
    expect(left.some((key) => key.includes('/blobs/2/'))).toBe(true);
    // Nobody is kept from it by another who does it as well.
    await Promise.all([cleanEnded(store, PREFIX), cleanEnded(store, PREFIX)]);
    expect(await unnamed(store)).toEqual([]);
    expect(await readHead(store, PREFIX)).toEqual(head);
    await expectNewest(store, folder, 5);
    await new CheckpointReader(store, PREFIX).read('1', async ({ manifest }) => {
      await exportFiles(store, manifest, path.join(folder, 'held'));
    });
  });

  test('a worker that is stopped in a commit and woken after another has taken over commits nothing more, and removes nothing', async () => {
    const folder = await newFolder();
    const { url, store, environment } = await open();
    const record = path.join(folder, 'fired.ndjson');
    let fence = 0;
    let step = 0;
    for (const [index, point] of sleeps.entries()) {
      fence += 1;
      const sleeper = new Child(bundle, [url, PREFIX, String(fence), path.join(folder, `worker-${fence}`)], {
        ...environment,
        LONGRUN_FAULT_POINTS: `${point}=stop@2`,
        LONGRUN_FAULT_RECORD: record,
      });
      await expect.poll(() => readFired(record), { interval: 20 }).toHaveLength(index + 1);
      await sleeper.stopped();
      step += ['commit.head-swapped', 'commit.collected'].includes(point) ? 2 : 1;
      await expectNewest(store, folder, step);

      fence += 1;
      const successor = await Worker.start(store, fence, folder);
      expect(successor.restored).toBe(step);
      await successor.commit((step += 1));
      await successor.checkpoints.settled();
      const head = await readHead(store, PREFIX);
      const before = await keysOf(store);
      sleeper.wake();
      expect(await sleeper.failed()).toContain('LeaseLost');
      expect(await readHead(store, PREFIX)).toEqual(head);
      const after = new Set(await keysOf(store));
      expect(before.filter((key) => !after.has(key))).toEqual([]);
      await expectNewest(store, folder, step);
    }
  });

  test('of twenty that take the lease from each other and commit, whatever was acknowledged and not taken over is there, and all is whole', async () => {
    const folder = await newFolder();
    const { store } = await open();
    const losses: unknown[] = [];
    const acknowledged: { fence: number; step: number }[] = [];
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        try {
          const fence = index + 1;
          const worker = await Worker.start(store, fence, path.join(folder, `worker-${fence}`));
          for (const step of [worker.restored + 1, worker.restored + 2]) {
            await worker.commit(step);
            acknowledged.push({ fence, step });
          }
        } catch (error) {
          losses.push(error);
        }
      }),
    );
    // They were in each other's way.
    expect(losses.length).toBeGreaterThan(0);
    for (const loss of losses) expect(loss instanceof LeaseLost || loss instanceof LeaseRefused).toBe(true);
    const head = await readHead(store, PREFIX);
    expect(head).toMatchObject({ fence: 20, outcome: null });
    // Each goes on from what was there as it began: the last one's are in the end the newest.
    expect(acknowledged.filter(({ fence }) => fence === 20)).toHaveLength(2);
    const newest = Math.max(...acknowledged.filter(({ fence }) => fence === 20).map(({ step }) => step));
    expect(head?.checkpoints[0]?.step).toBe(newest);
    await expectNewest(store, folder, newest);
    const next = await Worker.start(store, 21, folder);
    await next.commit(newest + 1);
    await next.checkpoints.settled();
    expect(await unnamed(store)).toEqual([]);
    await expectNewest(store, folder, newest + 1);
  });

  test('an experiment whose name begins as that of another leaves it alone', async () => {
    const folder = await newFolder();
    const { store } = await open();
    const longer = await Worker.start(store, 1, path.join(folder, 'longer'), `${PREFIX}0`);
    await longer.commit(1);
    await longer.checkpoints.settled();
    const before = await keysOf(store, `${PREFIX}0/`);
    expect(before.length).toBeGreaterThan(4);
    const shorter = await Worker.start(store, 5, folder);
    for (const step of [1, 2, 3]) await shorter.commit(step);
    await shorter.checkpoints.settled();
    expect(await unnamed(store)).toEqual([]);
    expect(await keysOf(store, `${PREFIX}0/`)).toEqual(before);
    await expectNewest(store, folder, 3);
  });
}

/** A worker in this process. */
export class Worker {
  readonly lease: Lease;
  readonly checkpoints: CheckpointStore;
  /** The step that it goes on from, 0 at the beginning. */
  readonly restored: number;
  readonly #folder: string;

  constructor(lease: Lease, checkpoints: CheckpointStore, restored: number, folder: string) {
    this.lease = lease;
    this.checkpoints = checkpoints;
    this.restored = restored;
    this.#folder = folder;
  }

  /** Takes the lease, and restores the newest checkpoint. */
  static async start(store: ObjectStore, fence: number, folder: string, prefix = PREFIX): Promise<Worker> {
    const lease = await acquireLease(store, prefix, { fence, holder: `worker-${fence}` });
    const checkpoints = new CheckpointStore(store, prefix, { keepLast: 2 });
    const { manifest, rejected } = await checkpoints.newestValid(path.join(folder, `restored-${fence}`));
    expect(rejected).toEqual([]);
    return new Worker(lease, checkpoints, manifest?.step ?? 0, folder);
  }

  /** Commits a step with the rows of it. */
  async commit(step: number): Promise<void> {
    const log = await writeLogFile(this.#folder, `rows-${step}`, rowsAt(step));
    const snapshot = await writeSnapshotFiles(this.#folder, step, contentsAt(step));
    await this.checkpoints.commit(this.lease, { ...snapshot, log });
  }
}

/** The newest checkpoint is that of a step, to the last byte and row; no other was passed over for it. */
export async function expectNewest(store: ObjectStore, folder: string, step: number): Promise<void> {
  const newest = await new CheckpointStore(store, PREFIX).newestValid(path.join(folder, 'checked'));
  expect(newest.rejected).toEqual([]);
  expect(newest.manifest?.step ?? 0).toBe(step);
  for (const [name, content] of Object.entries(step === 0 ? {} : contentsAt(step))) {
    expect((await readFile(path.join(newest.folder ?? '', name))).equals(content)).toBe(true);
  }
  expect(await newestManifest(store, PREFIX)).toEqual(newest.manifest);
  expect(await entriesOf(store, newest.manifest)).toEqual(rowsOfSteps(1, step));
}

/** Keys of blobs, log segments and manifests that no checkpoint of the head names. */
async function unnamed(store: ObjectStore): Promise<string[]> {
  const named = new Set<string>([`${PREFIX}/head.json`]);
  for (const { manifestKey } of (await readHead(store, PREFIX))?.checkpoints ?? []) {
    named.add(manifestKey);
    const manifest = Buffer.from((await store.get(manifestKey)) ?? []).toString();
    for (const [, key = ''] of manifest.matchAll(/"([^"]+\/[0-9a-f]{64}(?:-\d+)?)"/gu)) named.add(key);
  }
  return (await keysOf(store)).filter((key) => !named.has(key));
}

async function keysOf(store: ObjectStore, prefix = `${PREFIX}/`): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'workers-'));
  onTestFinished(() => rm(folder, { recursive: true, maxRetries: 20 }));
  return folder;
}
