import { expect } from 'vitest';

import { StorageFailed } from '../src/index.js';
import { until } from '../src/testing/index.js';
import { comeUpon, withQueue } from './queued-jobs.js';
import { ToldWorker } from './told-worker.js';
import { test, type World } from './world.js';

test('what one worker lost goes to another, and the first takes other jobs meanwhile', async ({ world }) => {
  const { a, b, ofA, ofB } = await twoBusyWorkers(world);
  ofA.end('trainer_killed');
  await leftByA(world, ofA.id);
  const other = await world.submit();
  const told = await a.next();
  expect(told.id).toBe(other);
  told.end('succeeded');
  await world.when(other, ({ status }) => status === 'succeeded');
  expect(a.taken).toEqual([ofA.id, other]);

  ofB.end('succeeded');
  const again = await b.next();
  expect(again.id).toBe(ofA.id);
  again.end('succeeded');
  const { attempts, failures, preemptions, losses } = await world.when(ofA.id, ({ endedAt }) => endedAt !== null);
  expect(attempts.map(({ workerId, reason }) => [workerId, reason])).toEqual([
    ['a', 'trainer_killed'],
    ['b', 'succeeded'],
  ]);
  expect({ failures, preemptions, losses }).toEqual({ failures: 0, preemptions: 1, losses: 1 });
  await Promise.all([a.stop(), b.stop()]);
});

test('who lost it gets it again when the others are there no more', async ({ world }) => {
  const { a, b, ofA, ofB } = await twoBusyWorkers(world);
  ofA.end('trainer_killed');
  await leftByA(world, ofA.id);
  await world.platform.workers.drain('b');
  const again = await a.next();
  expect(again.id).toBe(ofA.id);
  for (const told of [again, ofB]) told.end('succeeded');
  await Promise.all([a.stop(), b.stop()]);
});

test('a job that Redis lost comes back with the workers that are to leave it', async ({ world }) => {
  const { a, b, ofA, ofB } = await twoBusyWorkers(world);
  ofA.fail(noRoom());
  await leftByA(world, ofA.id);
  await withQueue(world, async (queue, keys) => {
    await until(async () => (await queue.remove(keys.job(ofA.id, 2))) === 1);
  });
  await leftByA(world, ofA.id);
  ofB.end('succeeded');
  (await b.next()).end('succeeded');
  const { attempts } = await world.when(ofA.id, ({ endedAt }) => endedAt !== null);
  expect(attempts.map(({ workerId }) => workerId)).toEqual(['a', 'b']);
  await Promise.all([a.stop(), b.stop()]);
});

test('what all workers have lost, any may have', async ({ world }) => {
  const { a, b, ofA, ofB } = await twoBusyWorkers(world);
  ofB.end('succeeded');
  ofA.end('trainer_killed');
  (await b.next()).end('trainer_killed');
  await until(() => a.taken.length + b.taken.length === 4);
  const third = await Promise.race([a.next(), b.next()]);
  third.end('succeeded');
  const { attempts, losses } = await world.when(ofA.id, ({ endedAt }) => endedAt !== null);
  expect(attempts.map(({ workerId }) => workerId).slice(0, 2)).toEqual(['a', 'b']);
  expect(attempts.map(({ reason }) => reason)).toEqual(['trainer_killed', 'trainer_killed', 'succeeded']);
  expect(losses).toBe(2);
  await Promise.all([a.stop(), b.stop()]);
});

test('what an unfit worker had goes to another, and costs nothing', async ({ world }) => {
  const { a, b, ofA, ofB } = await twoBusyWorkers(world, { maxFailures: 0, maxLosses: 0, maxPreemptions: 0 });
  ofB.end('succeeded');
  ofA.end('worker_unfit');
  (await b.next()).end('succeeded');
  const { attempts, failures, preemptions, losses } = await world.when(ofA.id, ({ endedAt }) => endedAt !== null);
  expect(attempts.map(({ workerId, reason }) => [workerId, reason])).toEqual([
    ['a', 'worker_unfit'],
    ['b', 'succeeded'],
  ]);
  expect({ failures, preemptions, losses }).toEqual({ failures: 0, preemptions: 0, losses: 0 });
  await Promise.all([a.stop(), b.stop()]);
});

test('what a worker has no room for goes to another, and costs nothing', async ({ world }) => {
  const { a, b, ofA, ofB } = await twoBusyWorkers(world, { maxFailures: 0 });
  ofA.fail(noRoom());
  await leftByA(world, ofA.id);
  ofB.end('succeeded');
  (await b.next()).end('succeeded');
  const { attempts, failures } = await world.when(ofA.id, ({ endedAt }) => endedAt !== null);
  expect(attempts.map(({ workerId, reason }) => [workerId, reason])).toEqual([
    ['a', 'worker_disk'],
    ['b', 'succeeded'],
  ]);
  expect(failures).toBe(0);
  await Promise.all([a.stop(), b.stop()]);
});

test('what another worker has no room for either is charged', async ({ world }) => {
  const { a, b, ofA, ofB } = await twoBusyWorkers(world, { maxFailures: 0 });
  ofB.end('succeeded');
  ofA.fail(noRoom());
  (await b.next()).fail(noRoom());
  const ended = await world.when(ofA.id, ({ endedAt }) => endedAt !== null);
  expect(ended).toMatchObject({ status: 'failed', reason: 'worker_disk', failures: 1 });
  expect(ended.attempts.map(({ workerId }) => workerId)).toEqual(['a', 'b']);
  expect(ended.message).toContain('ENOSPC: no space left on device, write');
  await Promise.all([a.stop(), b.stop()]);
});

function noRoom(): StorageFailed {
  const cause = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  return new StorageFailed(`Could not fetch the dataset digits, tried 5 times: ${cause.message}`, { cause });
}

/** Two workers that the record knows, each with an experiment in the hands of the test. */
async function twoBusyWorkers(world: World, budget: object = {}) {
  await world.start();
  await world.readyDataset();
  const retry = { backoffMs: 0, ...budget };
  await world.submit({ retry });
  const a = await ToldWorker.start(world, { workerId: 'a' });
  const ofA = await a.next();
  await world.submit();
  const b = await ToldWorker.start(world, { workerId: 'b' });
  const ofB = await b.next();
  const known = async (id: string): Promise<boolean> =>
    (await world.platform.workers.list()).items.some((worker) => worker.id === id);
  await until(async () => (await known('a')) && (await known('b')));
  return { a, b, ofA, ofB };
}

/** Waits until the worker has come upon the job of the second attempt and left it. */
async function leftByA(world: World, id: string): Promise<void> {
  await comeUpon(world, id, 2, 2);
}
