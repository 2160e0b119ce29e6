import path from 'node:path';

import { expect, test } from 'vitest';

import { CheckpointFolder, keyOf, PREFIX } from '../../test/checkpoint-folder.js';
import { openObjectStoreToRead } from '../store/open-object-store.js';
import { CheckpointAbsent, CheckpointReader } from './checkpoint-reader.js';
import { HeadDamaged } from './head.js';
import { holdCheckpoint, PIN } from './holds.js';
import { acquireLease } from './lease.js';
import { CorruptManifest } from './manifest.js';
import { CorruptBlob, downloadFiles } from './stored-files.js';
import { tensorsOf } from './stored-tensors.js';

test('checkpoints are listed newest first, one whose manifest is damaged with the reason', async () => {
  const there = await CheckpointFolder.make();
  for (const step of [100, 200]) await there.commit(step);
  await there.flipBit(`${PREFIX}/checkpoints/100-1.json`);
  const { head, checkpoints } = await there.reader.list();
  expect(head).toMatchObject({ fence: 1, holder: 'worker-a', outcome: null });
  expect(checkpoints).toMatchObject([
    { name: '200-1', manifest: { step: 200, fence: 1 } },
    { name: '100-1', entry: { step: 100 }, manifest: undefined, reason: expect.stringContaining('100-1.json') },
  ]);
});

test('a checkpoint is found by step, by name and as the latest', async () => {
  const there = await CheckpointFolder.make();
  for (const step of [100, 200]) await there.commit(step);
  const stepOf = async (which: string): Promise<number> =>
    there.reader.read(which, async ({ manifest }) => manifest.step);
  expect([await stepOf('100'), await stepOf('100-1'), await stepOf('latest')]).toEqual([100, 100, 200]);
});

test('of checkpoints of one step, which there are where an earlier one is held, the newest is meant by it, and each by its name', async () => {
  const there = await CheckpointFolder.make();
  await there.commit(100);
  await holdCheckpoint(there.store, PREFIX, 100, { name: PIN });
  const lease = await acquireLease(there.store, PREFIX, { fence: 2, holder: 'worker-b' });
  await there.checkpoints.commit(lease, { step: 100, files: [], environment: 'second' });
  await holdCheckpoint(there.store, PREFIX, 100, { name: PIN });
  await there.checkpoints.commit(lease, { step: 100, files: [], environment: 'third' });
  await there.checkpoints.settled();
  const names = (await there.reader.list()).checkpoints.map(({ name }) => name);
  expect(names).toEqual([expect.stringMatching(/^100-2-\d+$/u), '100-2', '100-1']);
  const environmentOf = async (which: string): Promise<unknown> =>
    there.reader.read(which, async ({ manifest }) => manifest.environment);
  expect(await Promise.all(['100', ...names].map(environmentOf))).toEqual([
    'third',
    'third',
    'second',
    { engine: 'reference' },
  ]);
});

test('what there is not is said with what there is', async () => {
  const there = await CheckpointFolder.make();
  const nothing = async (): Promise<void> => undefined;
  await expect(new CheckpointReader(there.store, 'experiments/exp_2').list()).rejects.toThrow(
    /nothing was ever written under experiments\/exp_2 of file:/,
  );
  await expect(there.reader.read('latest', nothing)).rejects.toThrow(`${PREFIX} has no checkpoints yet`);
  for (const step of [100, 200]) await there.commit(step);
  await expect(there.reader.read('150', nothing)).rejects.toThrow('has no checkpoint 150; it has 200-1, 100-1');
  await expect(there.reader.read('150', nothing)).rejects.toThrow(CheckpointAbsent);
});

test('a damaged head and a damaged manifest are said to be that', async () => {
  const there = await CheckpointFolder.make();
  await there.commit(100);
  const looked = there.reader.read('latest', async () => undefined);
  await expect(looked).resolves.toBeUndefined();
  await there.flipBit(`${PREFIX}/checkpoints/100-1.json`);
  await expect(there.reader.read('latest', async () => undefined)).rejects.toThrow(CorruptManifest);
  await there.store.compareAndSet(`${PREFIX}/head.json`, (await headVersion(there)) ?? null, Buffer.from('no head'));
  await expect(there.reader.list()).rejects.toThrow(HeadDamaged);
});

test('a checkpoint that is removed while it is read is no damage: the latest is read anew', async () => {
  const there = await CheckpointFolder.make({ keepLast: 1 });
  await there.commit(100);
  const tried: number[] = [];
  const folder = path.join(there.folder, 'read');
  const step = await there.reader.read('latest', async ({ manifest }) => {
    tried.push(manifest.step);
    if (tried.length === 1) await there.commit(200);
    await downloadFiles(there.store, manifest, folder);
    return manifest.step;
  });
  expect({ step, tried }).toEqual({ step: 200, tried: [100, 200] });
});

test('a step that is removed while it is read is not there any more, and one that always is is given up', async () => {
  const there = await CheckpointFolder.make({ keepLast: 1 });
  await there.commit(1);
  const removedMeanwhile = async (which: string): Promise<void> =>
    there.reader.read(which, async ({ manifest }) => {
      await there.commit(manifest.step + 1);
      await downloadFiles(there.store, manifest, path.join(there.folder, 'read'));
    });
  await expect(removedMeanwhile('1')).rejects.toThrow('has no checkpoint 1; it has 2-1');
  await expect(removedMeanwhile('latest')).rejects.toThrow('5 times in a row');
});

test('damage of a checkpoint that the head names is damage', async () => {
  const there = await CheckpointFolder.make();
  const manifest = await there.commit(100);
  await there.flipBit(keyOf(manifest, 'state.json'));
  const reading = there.reader.read('latest', async (stored) =>
    downloadFiles(there.store, stored.manifest, path.join(there.folder, 'read')),
  );
  await expect(reading).rejects.toThrow(CorruptBlob);
});

test('the tensors of a checkpoint are known by the headers, and where one copy is damaged by the other', async () => {
  const there = await CheckpointFolder.make({ keepLast: 1 });
  const manifest = await there.commit(100);
  const W = { dtype: 'float32', shape: [2] };
  const headers = [{ file: 'parameters.safetensors', tensors: new Map([['W', W]]) }];
  expect(await tensorsOf(there.store, manifest)).toEqual(headers);
  await there.remove(keyOf(manifest, 'parameters.safetensors'));
  expect(await tensorsOf(there.store, manifest)).toEqual(headers);
  await there.remove(manifest.files[0]?.copyKey ?? 'no copy');
  expect(await tensorsOf(there.store, manifest)).toMatchObject([{ reason: expect.stringContaining('is not there') }]);
});

test('a store that is opened to be read is left as it is', async () => {
  const there = await CheckpointFolder.make();
  await there.commit(100);
  const before = await there.everything();
  expect(before.size).toBeGreaterThan(4);
  const reader = new CheckpointReader(await openObjectStoreToRead(there.store.url), PREFIX);
  await reader.list();
  await reader.read('latest', async ({ manifest }) => tensorsOf(reader.store, manifest));
  expect(await there.everything()).toEqual(before);
});

async function headVersion({ store }: CheckpointFolder): Promise<string | undefined> {
  return (await store.readRegister(`${PREFIX}/head.json`))?.version;
}
