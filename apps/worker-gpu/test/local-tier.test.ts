import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '@longrun/platform/testing';
import { StoreAround, type StoreOperation, type TransferOptions } from '@longrun/serialization';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Gate } from './gate.js';
import { World } from './world.js';

let world: World;

beforeAll(async () => {
  world = await World.begin();
});

afterAll(async () => {
  await world.end();
});

/** Is not on this machine, and notes which files are read from it, by what they are of. */
class DistantStore extends StoreAround {
  readonly read: string[] = [];

  override get takesFiles(): boolean {
    return false;
  }

  protected override async around<T>(
    { method, keys: [key = ''] }: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    if (method === 'download' && !key.startsWith('programs/'))
      this.read.push(key.startsWith('datasets/') ? 'dataset' : 'checkpoint');
    return await perform(options);
  }
}

/** Two workers one after the other, of which the second goes on where the first was stopped; the files that it read from the store. */
async function readByTheNext(meanwhile: () => Promise<void>): Promise<readonly string[]> {
  const first = await world.localWorker({ workerId: 'first', store: new DistantStore(world.store) });
  const gate = await Gate.make();
  const id = await world.submit({ epochs: 1, holds: [gate.after(20)] });
  await world.whenLogged(id, 19);
  await until(async () => (await world.head(id)).checkpoints[0]?.step === 14);
  await first();
  await gate.open();
  await meanwhile();

  const store = new DistantStore(world.store);
  const second = await world.localWorker({ workerId: 'second', store });
  const { status, attempts } = await world.whenEnded(id);
  await second();
  expect(status).toBe('succeeded');
  const [before, after] = attempts;
  expect(before?.reason).toBe('preempted');
  expect(after?.startStep).toBe(before?.lastStep);
  expect(after?.startStep).toBeGreaterThan(0);
  return store.read;
}

test('an experiment that goes on on the same machine reads no file from the store', async () => {
  expect(await readByTheNext(async () => {})).toEqual([]);
});

test('one that goes on elsewhere reads its checkpoint and its dataset', async () => {
  const read = await readByTheNext(async () => {
    for (const kept of ['cache', 'checkpoints']) await rm(join(world.folder, kept), { recursive: true });
  });
  expect(read.filter((what) => what === 'dataset')).toHaveLength(1);
  expect(read.filter((what) => what === 'checkpoint').length).toBeGreaterThan(1);
});
