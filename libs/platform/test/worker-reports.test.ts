import { setTimeout as pause } from 'node:timers/promises';

import { WorkerReport } from '@longrun/contracts';
import { Redis } from 'ioredis';
import { expect } from 'vitest';

import { describeWorker } from '../src/index.js';
import { RedisKeys } from '../src/redis/keys.js';
import { until } from '../src/testing/index.js';
import { publishCommand } from '../src/worker/commands.js';
import { ToldWorker } from './told-worker.js';
import { test, type World } from './world.js';

test('a worker says that it is there with every beat, and goodbye when it stops', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const workers = new WorkersInRedis(world);
  const description = describeWorker({
    labels: { gpu: 'a100' },
    devices: [{ type: 'cpu', name: 'test', memoryBytes: null }],
  });
  const worker = await ToldWorker.start(world, { description });
  await until(async () => (await workers.report()) !== undefined);
  const idle = await workers.report();
  expect(idle).toMatchObject({ workerId: 'told', kind: 'experiment', ...description, slots: 1, status: 'ready' });
  expect(idle?.attempts).toEqual([]);
  expect(description).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+\.\d+/), labels: { gpu: 'a100' } });
  expect(description.threads).toBeGreaterThan(0);
  expect(description.memoryBytes).toBeGreaterThan(2 ** 20);

  const id = await world.submit();
  const job = await worker.next();
  await until(async () => (await workers.report())?.attempts.length === 1);
  const busy = await workers.report();
  expect(busy?.attempts).toEqual([{ id, fence: 1 }]);
  expect(busy?.beat).toBeGreaterThan(idle?.beat ?? Infinity);
  job.end('succeeded');
  await until(async () => (await workers.report())?.attempts.length === 0);
  await worker.stop();
  expect(await workers.report()).toBeUndefined();
  workers.close();
});

test('a Redis that forgets a worker, or goes and comes back, is told again', async ({ world, redis }) => {
  await world.start();
  const workers = new WorkersInRedis(world);
  const worker = await ToldWorker.start(world);
  await until(async () => (await workers.report()) !== undefined);
  const before = (await workers.report())?.beat ?? Infinity;
  await redis.flushAll();
  await until(async () => (await workers.report()) !== undefined);
  await redis.stopServing();
  await redis.restart();
  await until(async () => (await workers.report()) !== undefined);
  expect((await workers.report())?.beat).toBeGreaterThan(before);
  await worker.stop();
  workers.close();
});

test('a worker that is drained finishes what it runs and takes nothing more until it is released', async ({
  world,
}) => {
  await world.start();
  await world.readyDataset();
  const workers = new WorkersInRedis(world);
  const ids = [await world.submit(), await world.submit()];
  for (const id of ids) await world.when(id, ({ attempts }) => attempts.length === 1);
  const worker = await ToldWorker.start(world);
  const job = await worker.next();

  await workers.command('drain', 'another');
  await known(world);
  await world.platform.workers.drain('told');
  await until(async () => (await workers.report())?.status === 'draining');
  expect((await workers.report())?.attempts).toHaveLength(1);
  job.end('succeeded');
  await world.when(job.id, ({ status }) => status === 'succeeded');
  const idle = (await workers.report())?.beat ?? Infinity;
  // It stays alive, and reports.
  await until(async () => ((await workers.report())?.beat ?? 0) > idle + 3);
  await pause(300);
  expect(worker.taken).toEqual([ids[0]]);
  expect(await world.platform.experiments.get(ids[1] ?? '')).toMatchObject({ status: 'queued' });

  await world.platform.workers.release('told');
  (await worker.next()).end('succeeded');
  expect(worker.taken).toEqual(ids);
  // It takes a job as soon as it is released, and says so with its next beat.
  await until(async () => (await workers.report())?.status === 'ready');
  await worker.stop();
  workers.close();
});

test('a worker that is drained while it waits for a job leaves the next one to others', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const workers = new WorkersInRedis(world);
  const worker = await ToldWorker.start(world);
  await known(world);
  await world.platform.workers.drain('told');
  await until(async () => (await workers.report())?.status === 'draining');
  const id = await world.submit();
  const other = world.worker('other');
  const attempt = await other.next();
  expect(attempt.ticket).toEqual({ id, fence: 1 });
  await attempt.start().succeed();
  expect(worker.taken).toEqual([]);
  await worker.stop();
  workers.close();
});

/** Waits until the record has the worker. */
async function known(world: World): Promise<void> {
  await until(async () => (await world.platform.workers.list()).items.some(({ id }) => id === 'told'));
}

/** The record's side: what workers say, and what they are told. */
class WorkersInRedis {
  readonly #redis: Redis;
  readonly #keys: RedisKeys;

  constructor(world: World) {
    this.#redis = new Redis(world.redis.url, { maxRetriesPerRequest: null });
    this.#redis.on('error', () => undefined);
    this.#keys = new RedisKeys(world.prefix);
  }

  async report(workerId = 'told'): Promise<WorkerReport | undefined> {
    const json = await this.#redis.hget(this.#keys.workers, workerId);
    return json === null ? undefined : WorkerReport.parse(JSON.parse(json));
  }

  async command(type: 'drain' | 'release', workerId: string): Promise<void> {
    await publishCommand(this.#redis, this.#keys, { type, workerId });
  }

  close(): void {
    this.#redis.disconnect();
  }
}
