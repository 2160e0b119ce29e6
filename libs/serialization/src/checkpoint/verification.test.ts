import path from 'node:path';

import { expect, test } from 'vitest';

import { CheckpointFolder, contentsAt, keyOf, PREFIX } from '../../test/checkpoint-folder.js';
import { writeLogFile } from '../../test/log-of.js';
import { StoreAround, type StoreOperation } from '../store/store-around.js';
import type { ObjectStore, ReadOptions, TransferOptions } from '../store/object-store.js';
import { CheckpointReader } from './checkpoint-reader.js';
import type { Manifest } from './manifest.js';
import { type DamagedObject, type RemovedCheckpoint, Verification, type VerifiedCheckpoint } from './verification.js';

test('a whole checkpoint is whole, all objects of it having been counted', async () => {
  const there = await CheckpointFolder.make();
  const { files, log } = await there.commit(100);
  expect(log).toHaveLength(1);
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 2 * (log[0]?.sizeBytes ?? 0));
  expect(await new Verification(there.reader).checkpoint('latest')).toEqual({
    name: '100-1',
    step: 100,
    objects: 4,
    sizeBytes,
    damage: [],
  });
});

test.each(['flipBit', 'remove'] as const)('a blob that has no other copy is lost (%s)', async (how) => {
  const there = await CheckpointFolder.make();
  const manifest = await there.commit(100);
  const key = keyOf(manifest, 'state.json');
  await there[how](key);
  expect(await damageOf(there)).toEqual([{ what: 'file', key, isLost: true, reason: expect.stringContaining(key) }]);
});

test('of a file that is kept twice the damage of either copy is said, and that of both is a loss', async () => {
  const there = await CheckpointFolder.make({ keepLast: 1 });
  const [file] = (await there.commit(100)).files;
  const copyKey = file?.copyKey ?? 'no copy';
  await there.flipBit(copyKey);
  expect(await damageOf(there)).toMatchObject([{ key: copyKey, isLost: false }]);
  await there.remove(file?.blobKey ?? 'none');
  expect(await damageOf(there)).toMatchObject([
    { key: file?.blobKey, isLost: true },
    { key: copyKey, isLost: true },
  ]);
});

test('of a manifest that is kept twice the damage of either copy is said', async () => {
  const there = await CheckpointFolder.make({ keepLast: 1 });
  await there.commit(100);
  const [entry] = there.lease.head().checkpoints;
  await there.remove(entry?.copyKey ?? 'no copy');
  expect(await damageOf(there)).toMatchObject([{ what: 'manifest', key: entry?.copyKey, isLost: false }]);
});

test.each([0, 1])('of a log segment copy %i is read too', async (copy) => {
  const there = await CheckpointFolder.make();
  const [segment] = (await there.commit(100)).log;
  const key = segment?.keys[copy] ?? 'none';
  await there.flipBit(key);
  expect(await damageOf(there)).toMatchObject([{ what: 'log', key, isLost: false }]);
});

test('a damaged manifest is damage, and is said with its checkpoint', async () => {
  const there = await CheckpointFolder.make();
  await there.commit(100);
  const key = `${PREFIX}/checkpoints/100-1.json`;
  await there.remove(key);
  expect(await new Verification(there.reader).checkpoint('100')).toMatchObject({
    name: '100-1',
    damage: [{ what: 'manifest', key, isLost: true, reason: `manifest ${key} is missing` }],
  });
});

test('the log that an attempt has left after its last checkpoint is looked at, where there is one', async () => {
  const there = await CheckpointFolder.make();
  await there.commit(100);
  expect(await new Verification(there.reader).runLog()).toBeUndefined();
  const files = await writeLogFile(path.join(there.folder, 'snapshots'), 'rest', [{ step: 120, row: { cost: 0.5 } }]);
  await there.checkpoints.keepLog(there.lease, files);
  await there.checkpoints.settled();
  expect(await new Verification(there.reader).runLog()).toMatchObject({ damage: [] });
  const kept = there.lease.head().log?.log.at(-1);
  await there.flipBit(kept?.keys[1] ?? 'none');
  expect(await new Verification(there.reader).runLog()).toMatchObject({ damage: [{ what: 'log', isLost: false }] });
});

test('what is removed by a commit while it is verified is no damage', async () => {
  const there = await CheckpointFolder.make({ keepLast: 1 });
  await there.commit(100);
  const store = new Interrupted(there.store, 'openRead', async () => void (await there.commit(200)));
  const found = await new Verification(new CheckpointReader(store, PREFIX)).checkpoint('latest');
  expect(store.wasInterrupted).toBe(true);
  expect(found).toMatchObject({ name: '200-1', damage: [] });
});

test('a manifest that is removed before it is read is no damage, neither in a list', async () => {
  const there = await CheckpointFolder.make({ keepLast: 1 });
  await there.commit(100);
  const interrupted = new Interrupted(there.store, 'get', async () => void (await there.commit(200)));
  const verified = await new Verification(new CheckpointReader(interrupted, PREFIX)).checkpoint('latest');
  expect(verified).toMatchObject({ name: '200-1', damage: [] });
  const again = new Interrupted(there.store, 'get', async () => void (await there.commit(300)));
  const { checkpoints } = await new CheckpointReader(again, PREFIX).list();
  expect(checkpoints).toMatchObject([{ name: '300-1', manifest: { step: 300 } }]);
  expect([interrupted.wasInterrupted, again.wasInterrupted]).toEqual([true, true]);
});

test('of all checkpoints those that are removed meanwhile are said to be that, and one at least is verified', async () => {
  const there = await CheckpointFolder.make({ keepLast: 1 });
  await expect(allOf(there.reader)).rejects.toThrow('has no checkpoints yet');
  await there.commit(100);
  const store = new Interrupted(there.store, 'openRead', async () => void (await there.commit(200)));
  expect(await allOf(new CheckpointReader(store, PREFIX))).toMatchObject([
    { name: '100-1', isRemoved: true },
    { name: '200-1', damage: [] },
  ]);
});

test('an object that several checkpoints share is read once', async () => {
  const there = await CheckpointFolder.make();
  const frozen = { ...contentsAt(0), 'state.json': '{}' };
  const manifests: Manifest[] = [];
  for (const step of [100, 200, 300]) manifests.push(await there.commit(step, frozen));
  const store = new Interrupted(there.store, 'openRead', async () => undefined);
  expect(await allOf(new CheckpointReader(store, PREFIX))).toMatchObject(
    ['300-1', '200-1', '100-1'].map((name) => ({ name, damage: [] })),
  );
  const blobs = new Set(manifests.flatMap(({ files }) => files.map(({ blobKey }) => blobKey)));
  expect(blobs.size).toBe(4);
  expect(store.opened.toSorted()).toEqual([...blobs].toSorted());
});

/** A store during the first operation of a kind of which something happens. */
class Interrupted extends StoreAround {
  wasInterrupted = false;
  /** Keys of what was opened, each time. */
  readonly opened: string[] = [];

  readonly #method: StoreOperation['method'];
  readonly #happens: () => Promise<void>;

  constructor(store: ObjectStore, method: StoreOperation['method'], happens: () => Promise<void>) {
    super(store);
    this.#method = method;
    this.#happens = happens;
  }

  override openRead(key: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    this.opened.push(key);
    return super.openRead(key, options);
  }

  protected override async around<T>(
    { method }: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    if (method === this.#method && !this.wasInterrupted) {
      this.wasInterrupted = true;
      await this.#happens();
    }
    return perform(options);
  }
}

async function allOf(reader: CheckpointReader): Promise<(VerifiedCheckpoint | RemovedCheckpoint)[]> {
  const found = [];
  for await (const each of new Verification(reader).all()) found.push(each);
  return found;
}

async function damageOf({ reader }: CheckpointFolder): Promise<readonly DamagedObject[]> {
  return (await new Verification(reader).checkpoint('latest')).damage;
}
