import { expect } from 'vitest';

import { until } from '../src/testing/index.js';
import { describeWorker } from '../src/worker/worker-description.js';
import { comeUpon, withQueue } from './queued-jobs.js';
import { ToldWorker } from './told-worker.js';
import { test, type World } from './world.js';

/** What nothing may be charged for. */
const strict = { maxFailures: 0, maxPreemptions: 0, maxLosses: 0 };
const onTfjs = { resources: { engine: 'tfjs' }, retry: strict };
const PLAIN = { onnxruntime: ['cpu'] };
const WITH_TFJS = { onnxruntime: ['cpu'], tfjs: ['cpu'] };

test('who lacks the engine leaves a job to who has it, at no attempt, and takes others meanwhile', async ({
  world,
}) => {
  const { plain, able, ofAble } = await plainAndAble(world);
  const id = await world.submit(onTfjs);
  await leftOnce(world, id);
  const other = await world.submit();
  const told = await plain.next();
  expect(told.id).toBe(other);
  told.end('succeeded');
  await world.when(other, ({ status }) => status === 'succeeded');

  ofAble.end('succeeded');
  const taken = await able.next();
  expect(taken.id).toBe(id);
  taken.end('succeeded');
  const ended = await world.when(id, ({ endedAt }) => endedAt !== null);
  expect(ended.attempts.map(({ fence, workerId, reason }) => [fence, workerId, reason])).toEqual([
    [1, 'able', 'succeeded'],
  ]);
  expect(ended).toMatchObject({ failures: 0, preemptions: 0, losses: 0 });
  expect(plain.taken).toEqual([other]);
  await Promise.all([plain.stop(), able.stop()]);
});

test('a job that Redis lost comes back with the engine that it asks for', async ({ world }) => {
  const { plain, able, ofAble } = await plainAndAble(world);
  const id = await world.submit(onTfjs);
  await leftOnce(world, id);
  await withQueue(world, async (queue, keys) => {
    await until(async () => (await queue.remove(keys.job(id, 1))) === 1);
  });
  await leftOnce(world, id);
  ofAble.end('succeeded');
  (await able.next()).end('succeeded');
  expect((await world.when(id, ({ endedAt }) => endedAt !== null)).attempts).toHaveLength(1);
  expect(plain.taken).toEqual([]);
  await Promise.all([plain.stop(), able.stop()]);
});

test('a job whose engine no living worker has waits, says so, and runs when one comes', async ({ world }) => {
  const { plain, able, ofAble } = await plainAndAble(world);
  const id = await world.submit(onTfjs);
  await leftOnce(world, id);
  await world.platform.workers.drain('able');
  await until(async () => (await statusOf(world, 'able')) === 'draining');
  ofAble.end('succeeded');
  await able.stop();
  const waits = 'Waits for a worker with the engine tfjs: those that are alive have onnxruntime';
  await world.when(id, ({ message }) => message === waits);
  const { items } = await world.platform.experiments.list();
  expect(items.find((item) => item.id === id)?.message).toBe(waits);

  const next = await start(world, 'next', WITH_TFJS);
  (await next.next()).end('succeeded');
  const { attempts } = await world.when(id, ({ endedAt }) => endedAt !== null);
  expect(attempts.map(({ fence, workerId }) => [fence, workerId])).toEqual([[1, 'next']]);
  expect(plain.taken).toEqual([]);
  await Promise.all([plain.stop(), next.stop()]);
});

test('what waits for the engine of a worker that takes no jobs keeps nobody from the queue, and says why', async ({
  world,
}) => {
  const { plain, able, ofAble } = await plainAndAble(world, { window: 1 });
  await world.platform.workers.drain('able', 'its fan is loud');
  await until(async () => (await statusOf(world, 'able')) === 'draining');
  const id = await world.submit({ ...onTfjs, priority: 10 });
  const other = await world.submit();
  const told = await plain.next();
  expect(told.id).toBe(other);
  await world.when(
    id,
    ({ message }) =>
      message === 'The only worker with tfjs is draining: able (its fan is loud); it runs when one is released',
  );

  await world.platform.workers.release('able');
  ofAble.end('succeeded');
  const taken = await able.next();
  expect(taken.id).toBe(id);
  for (const one of [told, taken]) one.end('succeeded');
  await Promise.all([plain.stop(), able.stop()]);
});

test('many jobs of one engine keep no worker of another from work', async ({ world }) => {
  const { plain, able, ofAble } = await plainAndAble(world, { window: 1 });
  const urgent = [await world.submit({ ...onTfjs, priority: 10 }), await world.submit({ ...onTfjs, priority: 10 })];
  const other = await world.submit();
  const told = await plain.next();
  expect(told.id).toBe(other);

  ofAble.end('succeeded');
  for (const id of urgent) {
    const taken = await able.next();
    expect(taken.id).toBe(id);
    taken.end('succeeded');
  }
  told.end('succeeded');
  await Promise.all([plain.stop(), able.stop()]);
});

test('a job that is cancelled ends and leaves the queue while nobody is free who could take it', async ({ world }) => {
  const { plain, able, ofAble } = await plainAndAble(world);
  const id = await world.submit(onTfjs);
  await leftOnce(world, id);
  const ended = await world.platform.experiments.cancel(id);
  expect(ended).toMatchObject({ status: 'cancelled', losses: 0 });
  await withQueue(world, async (queue, keys) => {
    await until(async () => (await queue.getJob(keys.job(id, 1))) === undefined);
  });
  expect(able.taken).toEqual([ofAble.id]);
  expect(plain.taken).toEqual([]);
  ofAble.end('succeeded');
  await Promise.all([plain.stop(), able.stop()]);
});

test('who lacks the engine is no other worker to leave a job to', async ({ world }) => {
  const { plain, able, ofAble } = await plainAndAble(world);
  const id = await world.submit({ ...onTfjs, retry: { backoffMs: 0, maxFailures: 1 } });
  ofAble.end('succeeded');
  (await able.next()).end('worker_disk');
  (await able.next()).end('succeeded');
  const ended = await world.when(id, ({ endedAt }) => endedAt !== null);
  expect(ended.attempts.map(({ workerId, reason }) => [workerId, reason])).toEqual([
    ['able', 'worker_disk'],
    ['able', 'succeeded'],
  ]);
  expect(ended.failures).toBe(1);
  await Promise.all([plain.stop(), able.stop()]);
});

/** Two workers that the record knows: one idle, and one that has TensorFlow.js too and is busy. */
async function plainAndAble(world: World, queue: { readonly window?: number } = {}) {
  await world.start({ queue });
  await world.readyDataset();
  await world.submit();
  const able = await start(world, 'able', WITH_TFJS);
  const ofAble = await able.next();
  const plain = await start(world, 'plain', PLAIN);
  await until(async () => (await world.platform.workers.list()).items.filter(({ alive }) => alive).length >= 2);
  await until(async () => [await statusOf(world, 'able'), await statusOf(world, 'plain')].join() === 'ready,ready');
  return { plain, able, ofAble };
}

async function start(world: World, workerId: string, engines: Record<string, string[]>): Promise<ToldWorker> {
  return await ToldWorker.start(world, { workerId, description: describeWorker({ engines }) });
}

/** What a worker says of itself, as the record has it. */
async function statusOf(world: World, id: string): Promise<string | undefined> {
  const row = await world.record.db
    .selectFrom('workers')
    .select('reportedStatus')
    .where('id', '=', id)
    .executeTakeFirst();
  return row?.reportedStatus;
}

/** Waits until a worker has come upon the job of the first attempt and left it. */
async function leftOnce(world: World, id: string): Promise<void> {
  await comeUpon(world, id, 1, 1);
}
