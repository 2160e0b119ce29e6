import type { WorkerReport } from '@longrun/contracts';
import { Redis } from 'ioredis';
import { expect } from 'vitest';

import { type RedisServer, until } from '../src/testing/index.js';
import { type Told, ToldWorker } from './told-worker.js';
import { test, type World } from './world.js';

/** Silence alone writes nobody off here. */
const patient = { timings: { heartbeatMs: 50, workerLostAfterMs: 3_600_000, reconcileEveryMs: 100 } };

test('the work of a worker whose process has ended goes on elsewhere, however long the patience with silence is', async ({
  world,
}) => {
  await world.start(patient);
  const { id, worker } = await begin(world);
  worker.vanish();
  const successor = await ToldWorker.start(world, { workerId: 'successor' });
  const told = await successor.next();
  expect(told.id).toBe(id);
  expect(await world.when(id, ({ attempts }) => attempts.length === 2)).toMatchObject({
    preemptions: 1,
    attempts: [{ reason: 'worker_lost', message: expect.stringMatching(/^The process of told has ended/) }, {}],
  });
  await until(async () => (await aliveWorkers(world)).join() === 'successor');
  told.end('succeeded');
  await successor.stop();
});

test('a worker that is started again under its old name does not keep what the process before it left', async ({
  world,
}) => {
  await world.start(patient);
  const { id, worker } = await begin(world);
  worker.vanish();
  const again = await ToldWorker.start(world);
  const told = await again.next();
  expect(told.id).toBe(id);
  await world.when(id, ({ attempts }) => attempts[0]?.reason === 'worker_lost');
  told.end('succeeded');
  await again.stop();
});

test('a worker whose connections are cut and come back is not written off', async ({ world, redis }) => {
  await world.start(patient);
  const { id, worker, told } = await begin(world);
  const hand = new Redis(redis.url);
  for (let cut = 1; cut <= 5; cut += 1) {
    const before = await subscriberOf(hand);
    expect(before).toBeGreaterThan(0);
    expect(await hand.client('KILL', 'ID', before)).toBe(1);
    await until(async () => (await subscriberOf(hand)) > before);
  }
  await looksPass(redis);
  await endsUndisturbed(world, id, told);
  await worker.stop();
  hand.disconnect();
});

test('a process whose connection is lost, but that goes on reporting itself, has not ended', async ({
  world,
  redis,
}) => {
  await world.start(patient);
  const { id, worker, told } = await begin(world);
  // Only its reports get through, and they say that it runs the same.
  const [hand, half] = [new Redis(redis.url), new Redis(redis.url)];
  const report: WorkerReport = { ...bareReport, attempts: [{ id, fence: 1 }], connection: 'half-cut' };
  const timer = setInterval(() => {
    report.beat += 1;
    void hand.hset(`${world.prefix}:workers`, report.workerId, JSON.stringify(report));
  }, 30);
  await half.subscribe(`${world.prefix}:connection:half-cut`);
  await until(async () => (await aliveWorkers(world)).includes(report.workerId));
  await looksPass(redis);
  half.disconnect();
  await looksPass(redis);
  clearInterval(timer);
  hand.disconnect();
  await endsUndisturbed(world, id, told);
  await worker.stop();
});

test('when Redis ends or is another one, nobody is written off for the connections that went with it', async ({
  world,
  redis,
}) => {
  await world.start(patient);
  const { id, worker, told } = await begin(world);
  for (let restart = 1; restart <= 2; restart += 1) {
    await redis.restart();
    await looksPass(redis);
  }
  await endsUndisturbed(world, id, told);
  await worker.stop();
});

test('where Redis may not be asked who is connected, that is said once, and silence decides', async ({
  world,
  redis,
}) => {
  const owner = new Redis(redis.url);
  await owner.call('ACL', 'SETUSER', 'record', 'on', '>secret', '~*', '&*', '+@all', '-pubsub');
  owner.disconnect();
  await world.start({
    timings: { ...patient.timings, workerLostAfterMs: 2_000 },
    redisUrl: `redis://record:secret@127.0.0.1:${redis.port}`,
  });
  const { id, worker } = await begin(world);
  worker.vanish();
  await world.when(id, ({ attempts }) => attempts[0]?.reason === 'worker_lost');
  expect((await world.platform.experiments.get(id)).attempts[0]?.message).toMatch(/^Nothing was heard of/);
  expect(world.warnings.filter((sentence) => sentence.startsWith('Redis does not say which'))).toHaveLength(1);
});

/** An experiment that a worker runs whose connection was seen. */
async function begin(world: World): Promise<{ id: string; worker: ToldWorker; told: Told }> {
  await world.readyDataset();
  const worker = await ToldWorker.start(world);
  const id = await world.submit();
  const told = await worker.next();
  await world.when(id, ({ status }) => status === 'running');
  await until(async () => (await aliveWorkers(world)).includes('told'));
  await looksPass(world.redis);
  return { id, worker, told };
}

/** So many looks at the connections pass as are more than enough to find one that is gone. */
async function looksPass(server: RedisServer): Promise<void> {
  const before = await looksAt(server);
  await until(async () => (await looksAt(server)) >= before + 10);
}

/** How often this Redis was asked who is connected, answered or not. */
async function looksAt(server: RedisServer): Promise<number> {
  const redis = new Redis(server.url);
  const stats = await redis.info('commandstats');
  redis.disconnect();
  const counts = /^cmdstat_pubsub\|numsub:calls=(\d+),.*rejected_calls=(\d+)/m.exec(stats);
  return Number(counts?.[1] ?? 0) + Number(counts?.[2] ?? 0);
}

/** The connection that the worker holds, by its number. */
async function subscriberOf(redis: Redis): Promise<number> {
  const list = String(await redis.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
  return Number(/^id=(\d+) .* name=told:commands /m.exec(list)?.[1] ?? 0);
}

async function aliveWorkers(world: World): Promise<string[]> {
  const { items } = await world.platform.workers.list();
  return items.filter(({ alive }) => alive).map(({ id }) => id);
}

async function endsUndisturbed(world: World, id: string, told: Told): Promise<void> {
  told.end('succeeded');
  expect(await world.when(id, ({ status }) => status !== 'running')).toMatchObject({
    status: 'succeeded',
    preemptions: 0,
    attempts: [{ fence: 1, reason: 'succeeded' }],
  });
}

const bareReport: WorkerReport = {
  workerId: 'half',
  kind: 'experiment',
  host: 'there',
  version: '0.1.0',
  labels: {},
  slots: 1,
  threads: 1,
  memoryBytes: 2 ** 30,
  devices: [],
  status: 'ready',
  attempts: [],
  beat: 1,
};
