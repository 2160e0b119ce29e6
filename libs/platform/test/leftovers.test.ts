import {
  CheckpointReader,
  DeletionFailed,
  readHead,
  StoreAround,
  type StoreOperation,
  type TransferOptions,
  Verification,
} from '@longrun/serialization';
import { expect } from 'vitest';

import { LifeWriter } from '../src/life/writer.js';
import { Endings } from '../src/systems/endings.js';
import { LogCompletion } from '../src/systems/log-completion.js';
import { resultAt } from './scripted-worker.js';
import { impatient, test, type World } from './world.js';

test('what a worker has left that was lost after its outcome is gone when its run has ended', async ({ world }) => {
  const id = await begin(world);
  const attempt = await world.worker('gpu-1').next();
  attempt.start();
  for (const step of [3, 6]) await attempt.train(step).commit();
  const needed = await keysOf(world, id);
  await leave(world, id);
  await attempt.lease.end({ reason: 'succeeded', step: 6, result: { ...resultAt(6) } });
  attempt.freeze();
  await world.when(id, ({ status }) => status === 'succeeded');
  expect(await keysOf(world, id)).toEqual(needed);
  for await (const found of new Verification(new CheckpointReader(world.store, prefixOf(id))).all())
    expect(found).toMatchObject({ damage: [] });
});

test('what lost workers have left of a run that nobody goes on with is gone when it is cancelled', async ({
  world,
}) => {
  const id = await begin(world);
  const attempt = await world.worker('gpu-1').next();
  await attempt.start().train(3).commit();
  const needed = await keysOf(world, id);
  await leave(world, id);
  attempt.freeze();
  await world.when(id, ({ attempts }) => attempts.length === 2);
  expect(await keysOf(world, id)).not.toEqual(needed);
  await world.platform.experiments.cancel(id);
  await world.when(id, ({ status }) => status === 'cancelled');
  expect(await keysOf(world, id)).toEqual(needed);
});

test('a run ends also where what it has left cannot be removed, which is said', async ({ world, record }) => {
  const id = await begin(world);
  const attempt = await world.worker('gpu-1').next();
  await attempt.start().train(3).commit();
  await world.when(id, ({ status }) => status === 'running');
  const left = await leave(world, id);
  await attempt.lease.end({ reason: 'succeeded', step: 3, result: { ...resultAt(3) } });
  const store = new Locked(world.store);
  const writer = new LifeWriter(record);
  const warnings: string[] = [];
  const endings = new Endings({
    writer,
    store,
    logs: new LogCompletion({ record, writer, store }),
    catchUp: async () => undefined,
    warn: (sentence) => warnings.push(sentence),
  });
  expect(await endings.adopt('experiment', id, await readHead(store, prefixOf(id)))).toBe(true);
  expect(await world.when(id, ({ status }) => status !== 'running')).toMatchObject({ status: 'succeeded' });
  expect(warnings).toEqual([expect.stringContaining(`${left} could not be removed (EACCES)`)]);
  expect(warnings[0]).toContain(id);
});

/** A store from which nothing can be removed. */
class Locked extends StoreAround {
  protected override async around<T>(
    { method, keys }: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    const [first = '', ...others] = keys;
    const failed = (key: string): { key: string; reason: string } => ({ key, reason: 'EACCES' });
    if (method === 'delete') throw new DeletionFailed(this.url, [failed(first), ...others.map(failed)]);
    return await perform(options);
  }
}

async function begin(world: World): Promise<string> {
  await world.start(impatient);
  await world.readyDataset();
  return await world.submit();
}

/** Puts what a worker would have named that was killed in a commit. */
async function leave(world: World, id: string): Promise<string> {
  const key = `${prefixOf(id)}/blobs/1/${'0'.repeat(64)}-1`;
  await world.store.put(key, Buffer.from('of a commit that was never done'));
  return key;
}

async function keysOf(world: World, id: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of world.store.list(`${prefixOf(id)}/`)) keys.push(key);
  return keys.toSorted();
}

function prefixOf(id: string): string {
  return `experiments/${id}`;
}
