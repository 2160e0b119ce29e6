import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import {
  acquireLease,
  CheckpointAbsent,
  type CheckpointEntry,
  CheckpointStore,
  holdCheckpoint,
  type ObjectStore,
  openObjectStore,
  readHead,
  releaseCheckpoint,
} from '../src/index.js';
import { Manifests } from '../src/checkpoint/manifests.js';
import { downloadFiles } from '../src/checkpoint/stored-files.js';
import { S3Store } from '../src/store/s3/s3-store.js';
import { plainKeysUnder } from './plain-key.js';
import { S3Server, WITHOUT_S3 } from './s3-server.js';
import { writeSnapshotFiles } from './snapshot-folder.js';

const PREFIX = 'experiments/exp_1';
const KEEP_LAST = 2;

test('whoever holds what a commit is about to drop has all of it or is refused, and whoever commits is never kept from it (file:)', async () => {
  const folder = await newFolder();
  await race(folder, async () => await openObjectStore(`file:${folder}/objects`), { downloaders: 6, commits: 30 });
});

const given = WITHOUT_S3 === undefined ? describe : describe.skip;

given(`on a real S3${WITHOUT_S3 === undefined ? '' : `: ${WITHOUT_S3}`}`, () => {
  let server: S3Server;

  beforeAll(async () => {
    server = await S3Server.ofProcess();
  });

  test('whoever holds what a commit is about to drop has all of it or is refused, and whoever commits is never kept from it (s3:)', async () => {
    const place = server.emptyPlace();
    const open = async (): Promise<ObjectStore> => {
      const store = new S3Store(place);
      await store.probe();
      return store;
    };
    await race(await newFolder(), open, { downloaders: 3, commits: 12 });
  });
});

/** Downloads go on while checkpoints are committed, each of what goes next. */
async function race(
  folder: string,
  open: () => Promise<ObjectStore>,
  { downloaders, commits }: { readonly downloaders: number; readonly commits: number },
): Promise<void> {
  const store = await open();
  const lease = await acquireLease(store, PREFIX, { fence: 1, holder: 'worker-a' });
  const checkpoints = new CheckpointStore(store, PREFIX, { keepLast: KEEP_LAST });
  const commit = async (step: number): Promise<void> => {
    const files = { state: `contents of ${step}`, frozen: 'weights that stay' };
    await checkpoints.commit(lease, await writeSnapshotFiles(path.join(folder, 'snapshots'), step, files));
  };
  for (const step of [1, 2]) await commit(step);

  const commitsDone = new EventEmitter();
  const end = new AbortController();
  const downloaded: number[] = [];
  const download = async (name: string): Promise<void> => {
    const own = await open();
    for (let count = 0; !end.signal.aborted; count += 1) {
      const next = await nextToGo(own);
      const held = await holdCheckpoint(own, PREFIX, next.manifestKey, { name }).catch((error: unknown) => {
        if (error instanceof CheckpointAbsent) return undefined;
        throw error;
      });
      if (held === undefined) continue;
      // Until it is far behind what would be kept without it, or nothing is committed any more.
      for (;;) {
        const committed = once(commitsDone, 'commit');
        if (end.signal.aborted || (await placeOf(own, held)) >= KEEP_LAST) break;
        await committed;
      }
      const manifest = await new Manifests(own, PREFIX).read(held);
      await downloadFiles(own, manifest, path.join(folder, `${name}-${count}`));
      downloaded.push(held.step);
      expect(await releaseCheckpoint(own, PREFIX, held.manifestKey, name)).toBe(true);
    }
  };
  const downloads = Promise.all(Array.from({ length: downloaders }, async (_, index) => download(`download ${index}`)));
  // Told below.
  downloads.catch(() => undefined);
  for (let step = 3; step <= commits; step += 1) {
    await commit(step);
    if (step === commits) end.abort();
    commitsDone.emit('commit');
  }
  await downloads;

  expect(new Set(downloaded).size).toBeGreaterThan(2);
  await commit(commits + 1);
  await checkpoints.settled();
  const { checkpoints: kept } = (await readHead(store, PREFIX)) ?? { checkpoints: [] };
  expect(kept.map(({ step, holds }) => [step, holds])).toEqual([
    [commits + 1, undefined],
    [commits, undefined],
  ]);
  expect(await plainKeysUnder(store, `${PREFIX}/checkpoints`)).toHaveLength(2);
  expect(await plainKeysUnder(store, `${PREFIX}/blobs`)).toHaveLength(4);
}

/** What the next commit drops, if nobody holds it. */
async function nextToGo(store: ObjectStore): Promise<CheckpointEntry> {
  const entry = (await readHead(store, PREFIX))?.checkpoints[KEEP_LAST - 1];
  if (entry === undefined) throw new Error(`There are fewer than ${KEEP_LAST} checkpoints`);
  return entry;
}

/** How many newer ones the head names. */
async function placeOf(store: ObjectStore, { manifestKey }: CheckpointEntry): Promise<number> {
  const place = (await readHead(store, PREFIX))?.checkpoints.findIndex((entry) => entry.manifestKey === manifestKey);
  if (place === undefined || place < 0) throw new Error(`${manifestKey} was held and is gone`);
  return place;
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'holds-race-'));
  // What is done after a commit may still be under way.
  onTestFinished(() => rm(folder, { recursive: true, maxRetries: 20 }));
  return folder;
}
