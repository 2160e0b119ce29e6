import { DatasetSpec } from '@longrun/contracts';
import { LeaseLost, LeaseRefused, readHead } from '@longrun/serialization';
import { expect } from 'vitest';

import { LifeWriter } from '../src/life/writer.js';
import { Endings } from '../src/systems/endings.js';
import { LogCompletion } from '../src/systems/log-completion.js';
import { until } from '../src/testing/index.js';
import type { ScriptedWorker } from './scripted-worker.js';
import { impatient, test, type World } from './world.js';

const dataset = DatasetSpec.parse({ name: 'digits', converter: 'mnist' });

test('an experiment that waits for its dataset is cancelled at once, and nobody can claim it any more', async ({
  world,
}) => {
  await world.start();
  await world.platform.datasets.submit(dataset);
  const id = await world.submit();
  expect(await world.platform.experiments.cancel(id)).toMatchObject({
    status: 'cancelled',
    reason: 'cancelled',
    cancelRequested: true,
    attempts: [],
  });
  await expect(world.claimAs('late', id, 7)).rejects.toThrow(LeaseRefused);
});

test('an experiment whose job is in the queue is cancelled at once, and the worker that takes the job is refused', async ({
  world,
}) => {
  // Nobody takes the job out of the queue meanwhile.
  await world.start({ timings: { ...impatient.timings, reconcileEveryMs: 600_000 } });
  await world.readyDataset();
  const id = await world.submit();
  await world.when(id, ({ attempts }) => attempts.length === 1);
  expect(await world.platform.experiments.cancel(id)).toMatchObject({
    status: 'cancelled',
    attempts: [{ fence: 1, status: 'ended', reason: 'cancelled', startedAt: null }],
  });
  const worker = world.worker('gpu-1');
  await until(() => worker.refused.length === 1);
  expect(worker).toMatchObject({ refused: [{ id, fence: 1 }], claims: 0 });
});

test('what two processes of the platform cancel at the same time has ended for both', async ({ world, record }) => {
  const platform = await world.start();
  await world.readyDataset();
  const ids = await Promise.all(Array.from({ length: 20 }, async () => await world.submit()));
  const writer = new LifeWriter(record);
  const endings = Array.from({ length: 3 }, () => {
    const { store } = world;
    const logs = new LogCompletion({ record, writer, store });
    return new Endings({ writer, store, logs, catchUp: undefined, warn: expect.unreachable });
  });
  for (const id of ids) {
    const [attempt] = (await world.when(id, ({ attempts }) => attempts.length === 1)).attempts;
    const fence = attempt?.fence ?? 0;
    const answers = endings.map(async (one) => {
      const isDone = await one.cancelUnclaimed('experiment', id, fence);
      return [isDone, (await platform.experiments.get(id)).status];
    });
    expect(await Promise.all(answers)).toEqual(endings.map(() => [true, 'cancelled']));
  }
});

test('a worker that runs it is told until it obeys', async ({ world, redis }) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  const worker = world.worker('gpu-1');
  const attempt = await worker.next();
  attempt.start().train(3);
  await world.when(id, ({ status }) => status === 'running');

  expect(await world.platform.experiments.cancel(id)).toMatchObject({ status: 'running', cancelRequested: true });
  await until(() => worker.commands.length >= 2);
  // A command is lost with its Redis, and comes again.
  await redis.flushAll();
  const heard = worker.commands.length;
  await until(() => worker.commands.length > heard);
  expect(worker.commands[0]).toEqual({ type: 'cancel', kind: 'experiment', id, fence: 1 });
  await attempt.lease.end({ reason: 'cancelled', step: 3 });
  await attempt.end('cancelled');
  expect(await world.when(id, ({ status }) => status !== 'running')).toMatchObject({
    status: 'cancelled',
    attempts: [{ reason: 'cancelled', lastStep: 3 }],
  });
});

test('a cancelled experiment whose worker is lost, or preempted, is not tried again', async ({ world }) => {
  await world.start(impatient);
  await world.readyDataset();
  const [lost, preempted] = [await world.submit(), await world.submit()];
  const workers = [world.worker('gpu-1'), world.worker('gpu-2')];
  const attempts = await Promise.all(workers.map((worker) => worker.next()));
  const attemptOf = (id: string) => attempts.find((attempt) => attempt.ticket.id === id)?.start();
  await world.when(lost, ({ status }) => status === 'running');
  await world.when(preempted, ({ status }) => status === 'running');
  await world.platform.experiments.cancel(lost);
  await world.platform.experiments.cancel(preempted);
  attemptOf(lost)?.freeze();
  await attemptOf(preempted)?.end('preempted');
  for (const id of [lost, preempted]) {
    const experiment = await world.when(id, ({ status }) => status === 'cancelled');
    expect(experiment.attempts).toHaveLength(1);
  }
  await expect(attemptOf(lost)?.commit()).rejects.toThrow(LeaseLost);
});

test('a worker that succeeds before it hears of the cancellation has succeeded', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  const attempt = await world.worker('gpu-1').next();
  attempt.start().train(3);
  await world.when(id, ({ status }) => status === 'running');
  await world.platform.experiments.cancel(id);
  await attempt.succeed();
  expect(await world.when(id, ({ status }) => status !== 'running')).toMatchObject({ status: 'succeeded' });
});

test('a claim that the record has not heard of turns a cancellation of the queued into one of the running', async ({
  world,
}) => {
  await world.start(impatient);
  await world.readyDataset();
  const id = await world.submit();
  await world.when(id, ({ attempts }) => attempts.length === 1);
  const lease = await world.claimAs('mute', id, 1);
  expect(await world.platform.experiments.cancel(id)).toMatchObject({ cancelRequested: true });
  // Nothing is ever heard of it, so it is written off, and then cancelled.
  expect(await world.when(id, ({ status }) => status === 'cancelled')).toMatchObject({
    attempts: [{ fence: 1, reason: 'worker_lost' }],
  });
  expect(await lease.isHeld()).toBe(false);
});

test('whoever wins the race between a claim and a cancellation, record and lease agree', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const worker = world.worker('gpu-1');
  const obeying = obey(worker);
  const ids: string[] = [];
  for (let round = 0; round < 12; round += 1) {
    const id = await world.submit();
    ids.push(id);
    // From before the job is in the queue to after it was claimed.
    await until(async () => (await world.platform.experiments.get(id)).attempts.length >= round % 2);
    await world.platform.experiments.cancel(id);
  }
  for (const id of ids) {
    const experiment = await world.when(id, ({ status }) => status === 'cancelled');
    expect(experiment.attempts.length).toBeLessThanOrEqual(1);
    expect(await outcomeOf(world, id)).toMatchObject({ reason: 'cancelled' });
  }
  obeying.abort();
});

test('what has ended, or was never there, cannot be cancelled', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  await (await world.worker('gpu-1').next()).start().train(1).succeed();
  await world.when(id, ({ status }) => status === 'succeeded');
  await expect(world.platform.experiments.cancel(id)).rejects.toMatchObject({
    kind: 'conflict',
    faults: [{ code: 'ended-already', facts: { what: 'experiment', id, status: 'succeeded' } }],
  });
  await expect(world.platform.experiments.cancel('exp_0')).rejects.toMatchObject({ kind: 'not-found' });
});

test('a conversion that waits is cancelled at once by the name of its dataset, which is free then, and so ends what waits for it', async ({
  world,
}) => {
  await world.start();
  const { dataset: digits } = await world.platform.datasets.submit(dataset);
  const waits = await world.submit();
  expect(await world.platform.datasets.cancel('digits')).toMatchObject({
    id: digits.id,
    status: 'failed',
    reason: 'cancelled',
    cancelRequested: true,
  });
  expect(await world.when(waits, ({ status }) => status === 'failed')).toMatchObject({ reason: 'dataset_unavailable' });

  await expect(world.platform.datasets.cancel(digits.id)).rejects.toMatchObject({
    kind: 'conflict',
    faults: [{ code: 'ended-already', facts: { what: 'dataset', id: digits.id, status: 'failed' } }],
  });
  await expect(world.platform.datasets.cancel('digits')).rejects.toMatchObject({ kind: 'not-found' });
  expect((await world.platform.datasets.submit(dataset)).dataset.id).not.toBe(digits.id);
});

/** A worker that stops whatever it is told to. */
function obey(worker: ScriptedWorker): AbortController {
  const end = new AbortController();
  void (async () => {
    while (!end.signal.aborted) {
      const attempt = await worker.next();
      attempt.start();
      await until(() =>
        worker.commands.some((command) => command.type === 'cancel' && command.id === attempt.ticket.id),
      );
      try {
        await attempt.lease.end({ reason: 'cancelled', step: 0 });
        await attempt.end('cancelled');
      } catch (error) {
        if (!(error instanceof LeaseLost)) throw error;
        attempt.drop();
      }
    }
  })();
  return end;
}

async function outcomeOf(world: World, id: string): Promise<unknown> {
  return (await readHead(world.store, `experiments/${id}`))?.outcome;
}
