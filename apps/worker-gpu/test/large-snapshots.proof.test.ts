import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { newestManifest, readFired } from '@longrun/serialization';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { World } from './world.js';

/** Parameters of 17 MB, and twice as much that the algorithm remembers, which the worker reads while the trainer writes them; 30 steps. */
const params = { epochs: 1, hidden: 220_000 };

let world: World;

beforeAll(async () => {
  world = await World.begin();
});

afterAll(async () => {
  await world.end();
});

test('snapshots that are read while they are written are whole, also those of a run that was killed among them', async () => {
  const worker = await world.worker();
  const undisturbed = await world.submit(params);
  expect(await world.whenEnded(undisturbed)).toMatchObject({ message: null, status: 'succeeded' });
  const files = await wholeFiles(undisturbed);
  expect(files.find(({ name }) => name === 'parameters.safetensors')?.sizeBytes).toBeGreaterThan(17e6);
  worker.signal('SIGTERM');
  await worker.exited;

  const record = join(world.folder, 'killed.ndjson');
  const killed = await world.newWorker({
    LONGRUN_FAULT_POINTS: 'snapshot.handed-over=kill@3',
    LONGRUN_FAULT_RECORD: record,
  });
  const disturbed = await world.submit(params);
  await killed.exited;
  expect(readFired(record)).toMatchObject([{ point: 'snapshot.handed-over', passage: 3 }]);
  await world.worker();
  const ended = await world.whenEnded(disturbed);
  expect(ended).toMatchObject({ status: 'succeeded', attempts: [{ startStep: 0 }, { startStep: 14 }] });
  expect(ended.result).toEqual((await world.platform.experiments.get(undisturbed)).result);
  expect(await wholeFiles(disturbed)).toEqual(files);
});

/** The files of its last checkpoint but that which has the time, each of which has the bytes that the manifest says. */
async function wholeFiles(id: string): Promise<{ name: string; sha256: string; sizeBytes: number }[]> {
  const manifest = await newestManifest(world.store, `experiments/${id}`);
  const files = manifest?.files ?? [];
  for (const { blobKey, sha256 } of files) {
    const bytes = (await world.store.get(blobKey)) ?? new Uint8Array();
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
  }
  return files
    .filter(({ name }) => name !== 'state.json')
    .map(({ name, sha256, sizeBytes }) => ({ name, sha256, sizeBytes }));
}
