import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { expect, onTestFinished, test } from 'vitest';

import {
  acquireLease,
  CheckpointStore,
  newestManifest,
  type ObjectStore,
  openObjectStore,
  RandomStreams,
  readHead,
} from '../src/index.js';
import { bundleChild, Child } from './child.js';
import { contentsAt } from './contents-at.js';
import { entriesOf, rowsOfSteps } from './log-of.js';
import { writeSnapshotFiles } from './snapshot-folder.js';

const PREFIX = 'experiments/exp_1';
const KILLS = 21;

test('a worker killed at any moment leaves the newest acknowledged checkpoint, or the one after it, whole, with all rows up to it', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'crash-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const url = pathToFileURL(path.join(folder, 'objects')).href;
  const store = await openObjectStore(url);
  const bundle = await bundleChild('commit', folder);
  const random = new RandomStreams(1).stream('kills');

  let acknowledged = 0;
  let interrupted = 0;
  for (let fence = 1; fence <= KILLS; fence += 1) {
    const worker = new Child(bundle, [url, PREFIX, String(fence), path.join(folder, `worker-${fence}`)]);
    await worker.reported(1);
    await sleep(random.uniform() * 50);
    await worker.kill();
    expect(Number(worker.lines[0])).toBeGreaterThan(acknowledged);
    acknowledged = Number(worker.lines.at(-1));

    const newest = await new CheckpointStore(store, PREFIX).newestValid(path.join(folder, 'checked'));
    expect(newest.rejected).toEqual([]);
    expect([acknowledged, acknowledged + 1]).toContain(newest.manifest?.step);
    for (const [name, content] of Object.entries(contentsAt(newest.manifest?.step ?? 0))) {
      expect((await readFile(path.join(newest.folder ?? '', name))).equals(content)).toBe(true);
    }
    expect(await newestManifest(store, PREFIX)).toEqual(newest.manifest);
    expect(await entriesOf(store, newest.manifest)).toEqual(rowsOfSteps(1, newest.manifest?.step ?? 0));
    if (newest.manifest?.step !== acknowledged || (await unnamed(store)).length > 0) interrupted += 1;
    acknowledged = newest.manifest?.step ?? acknowledged;
  }
  // The faults fired: some were killed between the first blob and the removal of older checkpoints.
  expect(interrupted).toBeGreaterThan(0);
  // And there was something to merge.
  expect((await newestManifest(store, PREFIX))?.log.length).toBeLessThan(acknowledged);

  const last = await acquireLease(store, PREFIX, { fence: KILLS + 1, holder: 'last' });
  const checkpoints = new CheckpointStore(store, PREFIX);
  await checkpoints.commit(last, await writeSnapshotFiles(folder, acknowledged + 1, contentsAt(acknowledged + 1)), {
    outcome: 'done',
  });
  expect(await unnamed(store)).toEqual([]);
  expect(await readHead(store, PREFIX)).toMatchObject({ fence: KILLS + 1, outcome: 'done' });
});

/** Keys of blobs, log segments and manifests that no checkpoint of the head names. */
async function unnamed(store: ObjectStore): Promise<string[]> {
  const named = new Set<string>([`${PREFIX}/head.json`]);
  for (const { manifestKey } of (await readHead(store, PREFIX))?.checkpoints ?? []) {
    named.add(manifestKey);
    const manifest = Buffer.from((await store.get(manifestKey)) ?? []).toString();
    for (const [, key = ''] of manifest.matchAll(/"([^"]+\/[0-9a-f]{64})"/gu)) named.add(key);
  }
  const keys: string[] = [];
  for await (const { key } of store.list(PREFIX)) if (!named.has(key)) keys.push(key);
  return keys;
}
