import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import type { EventEnvelope, ExperimentEvent } from '@longrun/contracts';
import { CheckpointStore, type FaultPoint, LeaseLost, withFault } from '@longrun/serialization';
import { Redis } from 'ioredis';
import { expect } from 'vitest';

import { RedisKeys } from '../src/redis/keys.js';
import { until } from '../src/testing/index.js';
import { withQueue } from './queued-jobs.js';
import { resultAt } from './scripted-worker.js';
import { impatient, test, type World } from './world.js';

test('a silent worker is written off: another goes on, and what the first still says and commits is refused', async ({
  world,
}) => {
  await world.start(impatient);
  await world.readyDataset();
  const id = await world.submit();
  const zombie = await world.worker('gpu-1').next();
  zombie.start().train(4);
  await zombie.commit();
  zombie.train(6);
  await world.when(id, ({ attempts }) => attempts[0]?.lastStep === 6);

  zombie.freeze();
  const successor = await world.worker('gpu-2').next();
  expect(successor.ticket).toEqual({ id, fence: 2 });
  successor.start();
  expect(successor.step).toBe(4);
  successor.train(5);
  await world.when(id, ({ attempts }) => attempts[1]?.lastStep === 5);

  const refusedBefore = world.platform.eventCounts.refused;
  zombie.train(9);
  expect(await zombie.outbox.flush('sent', 5_000)).toBe(true);
  await until(() => zombie.outbox.refused.aborted);
  expect(world.platform.eventCounts.refused).toBeGreaterThan(refusedBefore);
  await expect(zombie.commit()).rejects.toThrow(LeaseLost);

  successor.train(8);
  await successor.succeed();
  const experiment = await world.when(id, ({ status }) => status === 'succeeded');
  expect(experiment).toMatchObject({ result: resultAt(8), failures: 0, preemptions: 1 });
  expect(experiment.attempts).toMatchObject([
    { reason: 'worker_lost', workerId: 'gpu-1', startStep: 0, lastStep: 6, stepsRun: 6 },
    { reason: 'succeeded', workerId: 'gpu-2', startStep: 4, lastStep: 8, stepsRun: 4 },
  ]);
  // Rows 5 and 6 of the first attempt were void when the second started from 4; its row 7 to 9 never came in.
  const rows = (await world.platform.experiments.logPage(id)).items;
  expect(rows.map(({ step, row }) => [step, row['fence']])).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 1],
    [5, 2],
    [6, 2],
    [7, 2],
    [8, 2],
  ]);
});

test('a worker that died after its success was committed has succeeded', async ({ world }) => {
  await world.start(impatient);
  await world.readyDataset();
  const id = await world.submit();
  const attempt = await world.worker('gpu-1').next();
  attempt.start().train(7);
  await world.when(id, ({ attempts }) => attempts[0]?.lastStep === 7);
  await attempt.succeed({ silently: true });
  const experiment = await world.when(id, ({ status }) => status !== 'running');
  expect(experiment).toMatchObject({ status: 'succeeded', result: resultAt(7), preemptions: 0 });
  expect(experiment.attempts).toMatchObject([{ fence: 1, reason: 'succeeded' }]);
});

test('a worker that was written off and succeeds before anyone else claims has succeeded, and nothing is run twice', async ({
  world,
}) => {
  await world.start(impatient);
  await world.readyDataset();
  const id = await world.submit();
  const zombie = await world.worker('gpu-1').next();
  zombie.start().train(3);
  await world.when(id, ({ attempts }) => attempts[0]?.lastStep === 3);
  zombie.freeze();
  // Its successor's job is in the queue, but its own worker is busy with it.
  await world.when(id, ({ attempts }) => attempts.length === 2);
  await zombie.lease.end({ reason: 'succeeded', step: 3, result: { ...resultAt(3) } });
  const worker = world.worker('gpu-2');
  const experiment = await world.when(id, ({ status }) => status === 'succeeded');
  expect(worker).toMatchObject({ claims: 0, refused: [{ id, fence: 2 }] });
  expect(experiment).toMatchObject({
    result: resultAt(3),
    attempts: [{ reason: 'succeeded' }, { reason: 'cancelled' }],
  });
});

test('a worker that claimed its job and died before a word is written off too', async ({ world }) => {
  await world.start(impatient);
  await world.readyDataset();
  const id = await world.submit();
  await world.when(id, ({ attempts }) => attempts.length === 1);
  // The stall check hands the job out again, and the lease refuses it: what is left is a claim without a job.
  const lease = await world.claimAs('ghost', id, 1);
  const worker = world.worker('gpu-2');
  const attempt = await worker.next();
  expect(attempt.ticket).toEqual({ id, fence: 2 });
  expect(worker.refused).toEqual([{ id, fence: 1 }]);
  expect(await lease.isHeld()).toBe(false);
  await attempt.start().train(2).succeed();
  await world.when(id, ({ status }) => status === 'succeeded');
});

test.for<FaultPoint>([
  'enqueue.recorded',
  'enqueue.queued',
  'lease.claimed',
  'ingest.read',
  'ingest.applied',
  'ingest.committed',
])('FLUSHALL at %s loses nothing and runs nothing twice', async (point, { world, redis }) => {
  await world.start();
  await world.readyDataset();
  const worker = world.worker('gpu-1');
  const [running, waiting] = await withFault(point, async (fault) => {
    // Nothing of it is waited for: what is held may be what it needs.
    const submitted = Promise.all([world.submit({ name: 'first' }), world.submit({ name: 'second' })]);
    const run = worker.next().then(async (attempt) => {
      await attempt.start().train(100).succeed();
      return attempt.ticket.id;
    });
    await fault.fired;
    await redis.flushAll();
    fault.goOn();
    const ran = await run;
    return [ran, (await submitted).find((id) => id !== ran)];
  });
  const next = await worker.next();
  expect(next.ticket).toEqual({ id: waiting, fence: 1 });
  await next.start().train(1).succeed();

  expect(await world.when(running ?? '', ({ status }) => status === 'succeeded')).toMatchObject({
    result: resultAt(100),
    attempts: [{ fence: 1, reason: 'succeeded', lastStep: 100, stepsRun: 100 }],
  });
  expect(await world.when(waiting ?? '', ({ status }) => status === 'succeeded')).toMatchObject({
    attempts: [{ fence: 1, reason: 'succeeded' }],
  });
  const rows = (await world.platform.experiments.logPage(running ?? '')).items;
  expect(rows.map(({ step }) => step)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  expect(worker.claims).toBe(2);
});

test('a Redis that is killed and comes back empty loses nothing, and nobody is written off meanwhile', async ({
  world,
  redis,
}) => {
  await world.start(impatient);
  await world.readyDataset();
  const id = await world.submit();
  const worker = world.worker('gpu-1');
  const attempt = await worker.next();
  attempt.start().train(3);
  await world.when(id, ({ attempts }) => attempts[0]?.lastStep === 3);

  await redis.stopServing();
  attempt.train(50);
  await pause(impatient.timings.workerLostAfterMs * 1.5);
  expect(await world.platform.health()).toMatchObject({
    record: true,
    redis: { usable: false, flaw: 'away' },
    events: false,
  });
  const submittedMeanwhile = await world.submit();
  await redis.restart();
  attempt.train(60);
  await attempt.succeed();

  expect(await world.when(id, ({ status }) => status === 'succeeded')).toMatchObject({
    preemptions: 0,
    attempts: [{ fence: 1, lastStep: 60 }],
  });
  expect((await world.platform.experiments.logPage(id)).items).toHaveLength(60);
  expect((await worker.next()).ticket.id).toBe(submittedMeanwhile);
});

test('the API may be restarted mid-run: the attempt goes on, and everything said meanwhile is taken in', async ({
  world,
}) => {
  const record = { folder: join(world.folder, 'record') };
  await world.start({ ...impatient, record });
  await world.readyDataset();
  const running = await world.submit();
  const waiting = await world.submit();
  const worker = world.worker('gpu-1');
  const attempt = await worker.next();
  attempt.start().train(5);
  await world.when(running, ({ attempts }) => attempts[0]?.lastStep === 5);

  await world.platform.close();
  attempt.train(40);
  await attempt.commit();
  await pause(impatient.timings.workerLostAfterMs * 1.5);
  await world.start({ ...impatient, record });
  attempt.train(45);
  await attempt.succeed();

  expect(await world.when(running, ({ status }) => status === 'succeeded')).toMatchObject({
    preemptions: 0,
    attempts: [{ fence: 1, lastStep: 45 }],
    checkpoints: [{ step: 40 }],
  });
  expect((await world.platform.experiments.logPage(running)).items).toHaveLength(45);
  expect((await worker.next()).ticket).toEqual({ id: waiting, fence: 1 });
});

test('a job that is delivered twice is claimed once', async ({ world }) => {
  // Nobody takes the copy out of the queue meanwhile.
  await world.start({ timings: { ...impatient.timings, reconcileEveryMs: 600_000 } });
  await world.readyDataset();
  const id = await world.submit();
  const first = world.worker('gpu-1');
  const attempt = await first.next();
  attempt.start();
  await world.when(id, ({ status }) => status === 'running');

  await withQueue(
    world,
    async (queue) => void (await queue.add('experiment', attempt.ticket, { jobId: `${id}.copy` })),
  );
  const second = world.worker('gpu-2');
  await until(() => second.refused.length === 1);
  expect(second).toMatchObject({ refused: [{ id, fence: 1 }], claims: 0 });
  expect(await attempt.lease.isHeld()).toBe(true);
  await attempt.train(2).succeed();
  expect(await world.when(id, ({ status }) => status === 'succeeded')).toMatchObject({ attempts: [{ fence: 1 }] });
});

test('events count once and in order, whatever the stream says; one that cannot be read stops nothing', async ({
  world,
  redis,
}) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  const attempt = await world.worker('gpu-1').next();
  await world.when(id, ({ status }) => status === 'running');
  const send = streamWriter(world, redis.url, attempt.ticket);

  await send(2, { type: 'line', stream: 'stdout', text: 'too early' });
  await send(1, { type: 'line', stream: 'stdout', text: 'first' });
  await send(1, { type: 'line', stream: 'stdout', text: 'first again' });
  await send.raw('no JSON at all');
  await send.raw(JSON.stringify({ ...send.envelope(2), event: { type: 'from_the_future' } }));
  // Numbers that are none of ours, and a large one that is.
  await send.raw(JSON.stringify({ ...send.envelope(9), fence: 2 ** 40, event: { type: 'heartbeat', step: 1 } }));
  await send.raw(JSON.stringify({ ...send.envelope(0), event: { type: 'heartbeat', step: 2 ** 53 } }));
  await send.raw(JSON.stringify({ ...send.envelope(0), event: { type: 'heartbeat', step: 2 ** 53 - 1 } }));
  await send(3, { type: 'line', stream: 'stdout', text: 'a NUL \0 and half a pair \uD800' });
  await until(() => world.platform.eventCounts.malformed === 2 && world.platform.eventCounts.gap === 1);
  await until(async () => (await linesOf(world, id)).length === 2);

  expect(await linesOf(world, id)).toEqual(['first', 'a NUL \uFFFD and half a pair \uFFFD']);
  expect(world.platform.eventCounts).toMatchObject({ duplicate: 1, gap: 1, malformed: 2, refused: 1 });
  await world.when(id, ({ attempts }) => attempts[0]?.lastStep === 2 ** 53 - 1);
  await send.close();
});

test('rows beyond the step that an attempt starts from are void, those before it stay', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  const worker = world.worker('gpu-1');
  const first = await worker.next();
  first.start().train(2);
  await first.commit();
  first.train(30);
  await first.end('preempted');
  const second = await worker.next();
  second.start();
  await world.when(id, ({ attempts }) => attempts[1]?.startStep === 2);
  await until(async () => (await world.platform.experiments.logPage(id)).items.length === 2);
  second.train(3);
  await until(async () => (await world.platform.experiments.logPage(id)).items.length === 3);
  const rows = (await world.platform.experiments.logPage(id)).items;
  expect(rows.map(({ row }) => row['fence'])).toEqual([1, 1, 2]);
});

test('a job is found at once where the worker that was woken for it did not take it', async ({ world, redis }) => {
  await world.start();
  await world.readyDataset();
  // It waits for a job as a worker does that dies, or stands still, in the moment in which it is woken.
  const woken = new Redis(redis.url);
  const marker = `${new RedisKeys(world.prefix).queuePrefix}:experiments:marker`;
  const swallowed = woken.bzpopmin(marker, 0);
  const id = await world.submit();
  expect(await swallowed).not.toBe(null);
  // Nobody else put it in again, so that it is for the others to find.
  await until(async () => (await woken.zcard(marker)) === 1);
  const attempt = await world.worker('gpu-1').next();
  expect(attempt.ticket).toEqual({ id, fence: 1 });
  await attempt.start().train(1).succeed();
  woken.disconnect();
});

test('the lock of the queue is a hint: whoever loses it is told, and goes on while the lease is held', async ({
  world,
  redis,
}) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  const attempt = await world.worker('gpu-1').next();
  attempt.start();
  await world.when(id, ({ status }) => status === 'running');
  expect(attempt.lockLost.aborted).toBe(false);
  await redis.flushAll();
  await until(() => attempt.lockLost.aborted);
  expect(await attempt.lease.isHeld()).toBe(true);
  await attempt.train(2).succeed();
  await world.when(id, ({ status }) => status === 'succeeded');
});

test('an experiment whose budget of preemptions is spent fails, and its zombie can commit nothing', async ({
  world,
}) => {
  await world.start(impatient);
  await world.readyDataset();
  const id = await world.submit({ retry: { maxPreemptions: 0 } });
  const zombie = await world.worker('gpu-1').next();
  zombie.start().train(1);
  await world.when(id, ({ attempts }) => attempts[0]?.lastStep === 1);
  zombie.freeze();
  const experiment = await world.when(id, ({ status }) => status === 'failed');
  expect(experiment).toMatchObject({ reason: 'worker_lost', preemptions: 1, failures: 0 });
  expect(experiment.message).toContain('retry.maxPreemptions is 0');
  const checkpoints = new CheckpointStore(world.store, zombie.lease.prefix);
  await expect(checkpoints.commit(zombie.lease, { step: 2, files: [], environment: {} })).rejects.toThrow(LeaseLost);
  await expect(zombie.succeed()).rejects.toThrow(LeaseLost);
});

/** Writes to the stream by hand, as a worker never would. */
function streamWriter(world: World, redisUrl: string, ticket: { id: string; fence: number }) {
  const redis = new Redis(redisUrl);
  const stream = new RedisKeys(world.prefix).events;
  const envelope = (seq: number): Omit<EventEnvelope, 'event'> => ({
    kind: 'experiment',
    ...ticket,
    seq,
    at: new Date().toISOString(),
  });
  const raw = (text: string): Promise<unknown> => redis.xadd(stream, '*', 'e', text);
  const send = (seq: number, event: ExperimentEvent): Promise<unknown> =>
    raw(JSON.stringify({ ...envelope(seq), event }));
  return Object.assign(send, { raw, envelope, close: () => redis.quit() });
}

async function linesOf(world: World, id: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const event of world.platform.experiments.subscribe(id, 0, AbortSignal.timeout(200))) {
    if (event.type === 'line') lines.push(event.data.text);
  }
  return lines;
}
