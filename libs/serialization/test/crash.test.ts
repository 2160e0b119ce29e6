import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import {
  acquireLease,
  CheckpointStore,
  type FaultPoint,
  newestManifest,
  type ObjectStore,
  openObjectStore,
  readFired,
  readHead,
} from '../src/index.js';
import { bundleChild, Child } from './child.js';
import { contentsAt } from './contents-at.js';
import { entriesOf, rowsOfSteps } from './log-of.js';
import { writeSnapshotFiles } from './snapshot-folder.js';

const PREFIX = 'experiments/exp_1';

/** Where a worker dies in each of its commits, in order; a checkpoint that is named by the head then is acknowledged to nobody. */
const POINTS: readonly FaultPoint[] = [
  'commit.blobs-written',
  'commit.log-written',
  'commit.manifest-written',
  'commit.head-swapped',
  'commit.collected',
];
/** From the first commit on; by then there are old ones to remove, and parts of the log to merge. */
const PASSAGES = [1, 2, 3, 8];

test('a worker killed at any point of a commit leaves the newest acknowledged checkpoint, or the one after it, whole, with all rows up to it', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'crash-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const url = `file:${folder}/objects`;
  const store = await openObjectStore(url);
  const bundle = await bundleChild('commit', folder);
  const record = path.join(folder, 'fired.ndjson');
  const deaths = POINTS.flatMap((point) => PASSAGES.map((passage) => ({ point, passage })));

  let newestStep = 0;
  for (const [index, { point, passage }] of deaths.entries()) {
    const fence = index + 1;
    const worker = new Child(bundle, [url, PREFIX, String(fence), path.join(folder, `worker-${fence}`)], {
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

    const newest = await new CheckpointStore(store, PREFIX).newestValid(path.join(folder, 'checked'));
    expect(newest.rejected).toEqual([]);
    expect(newest.manifest?.step ?? 0).toBe(newestStep);
    for (const [name, content] of Object.entries(newestStep === 0 ? {} : contentsAt(newestStep))) {
      expect((await readFile(path.join(newest.folder ?? '', name))).equals(content)).toBe(true);
    }
    expect(await newestManifest(store, PREFIX)).toEqual(newest.manifest);
    expect(await entriesOf(store, newest.manifest)).toEqual(rowsOfSteps(1, newestStep));
    // What was written and is not named is there, and goes with the commits of the next worker; so is what is named no more.
    expect((await unnamed(store)).length > 0).toBe(point !== 'commit.collected');
  }
  // And there was something to merge.
  expect((await newestManifest(store, PREFIX))?.log.length).toBeLessThan(newestStep);

  const last = await acquireLease(store, PREFIX, { fence: deaths.length + 1, holder: 'last' });
  const checkpoints = new CheckpointStore(store, PREFIX);
  await checkpoints.commit(last, await writeSnapshotFiles(folder, newestStep + 1, contentsAt(newestStep + 1)), {
    outcome: 'done',
  });
  await checkpoints.settled();
  expect(await unnamed(store)).toEqual([]);
  expect(await readHead(store, PREFIX)).toMatchObject({ fence: deaths.length + 1, outcome: 'done' });
});

/** Keys of blobs, log segments and manifests that no checkpoint of the head names. */
async function unnamed(store: ObjectStore): Promise<string[]> {
  const named = new Set<string>([`${PREFIX}/head.json`]);
  for (const { manifestKey } of (await readHead(store, PREFIX))?.checkpoints ?? []) {
    named.add(manifestKey);
    const manifest = Buffer.from((await store.get(manifestKey)) ?? []).toString();
    for (const [, key = ''] of manifest.matchAll(/"([^"]+\/[0-9a-f]{64}(?:-\d+)?)"/gu)) named.add(key);
  }
  const keys: string[] = [];
  for await (const { key } of store.list(PREFIX)) if (!named.has(key)) keys.push(key);
  return keys;
}
