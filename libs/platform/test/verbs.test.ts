import type { LiveEvent } from '@longrun/contracts';
import { LeaseLost, LeaseRefused, readHead } from '@longrun/serialization';
import { expect } from 'vitest';

import { LifeWriter } from '../src/life/writer.js';
import type { PlatformRecord } from '../src/record/record.js';
import { until } from '../src/testing/index.js';
import { refusalOf } from './refusal-of.js';
import { ToldWorker } from './told-worker.js';
import { test } from './world.js';

test('an attempt that is preempted on request is told until it obeys, and the experiment comes next again', async ({
  world,
  record,
}) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  const worker = world.worker('gpu-1');
  const attempt = await worker.next();
  attempt.start().train(3);
  await world.when(id, ({ status }) => status === 'running');
  const later = await world.submit();

  for (let times = 0; times < 2; times += 1)
    expect(await world.platform.verbs.preempt(id)).toMatchObject({ status: 'running' });
  // Twice by the requests, then by the reconciler.
  await until(() => worker.commands.length >= 4);
  expect(worker.commands[0]).toEqual({ type: 'preempt', kind: 'experiment', id, fence: 1 });
  await attempt.commit();
  await attempt.end('preempted');
  const next = await worker.next();
  expect(next.ticket).toMatchObject({ id, fence: 2 });
  expect(next.start().step).toBe(3);
  await next.train(4).succeed();
  expect(await world.when(id, ({ status }) => status === 'succeeded')).toMatchObject({ preemptions: 1, failures: 0 });
  expect((await worker.next()).ticket.id).toBe(later);
  expect(await actionsOn(record, id)).toEqual(['submit', 'preempt']);
});

test('what does not run, or comes to its end, is not preempted, nor where one preemption more would end it', async ({
  world,
}) => {
  await world.start();
  await world.readyDataset();
  const runs = await world.submit({ retry: { maxPreemptions: 0 } });
  const worker = world.worker('gpu-1');
  const attempt = await worker.next();
  attempt.start();
  await world.when(runs, ({ status }) => status === 'running');
  const waits = await world.submit();
  const codeOf = async (id: string): Promise<unknown> => await refusalOf(world.platform.verbs.preempt(id));
  expect(await codeOf(waits)).toEqual({ code: 'not-running', facts: { experiment: waits, status: 'queued' } });
  expect(await codeOf(runs)).toEqual({
    code: 'preemptions-spent',
    facts: { experiment: runs, preemptions: 0, limit: 0 },
  });
  await world.platform.experiments.cancel(runs);
  expect(await codeOf(runs)).toEqual({ code: 'ending-already', facts: { experiment: runs, isCancelled: true } });
  await attempt.lease.end({ reason: 'cancelled', step: 0 });
  await attempt.end('cancelled');
  await world.when(runs, ({ status }) => status === 'cancelled');
  expect(await codeOf(runs)).toMatchObject({ code: 'ended-already', facts: { status: 'cancelled' } });
  expect(await codeOf('exp_0')).toMatchObject({ code: 'not-found' });
  const [dataset] = (await world.platform.datasets.list()).items;
  expect(await codeOf(dataset?.id ?? '')).toMatchObject({ code: 'not-found' });
  expect(worker.commands.filter(({ type }) => type === 'preempt')).toEqual([]);
});

test('a worker that does not give its machine back in time is as one whose time is up', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  const worker = await ToldWorker.start(world);
  const told = await worker.next();
  await world.when(id, ({ status }) => status === 'running');
  await world.platform.verbs.preempt(id);
  expect(await told.mustStop).toBe('preempted');
  expect(await told.mustLeave).toBe('grace_over');
  told.end('preempted');
  (await worker.next()).end('succeeded');
  expect(await world.when(id, ({ status }) => status === 'succeeded')).toMatchObject({ preemptions: 1 });
  await worker.stop();
});

test('a failed experiment is retried from its newest checkpoint, whatever still holds its old lease, and its followers see it go on', async ({
  world,
  record,
}) => {
  const { experiments, verbs } = await world.start();
  await world.readyDataset();
  const id = await world.submit({ retry: { maxFailures: 0 }, limits: { wallTimeSeconds: 3_600 } });
  const worker = world.worker('gpu-1');
  const failing = (await worker.next()).start().train(4);
  await failing.commit();
  await failing.train(6).end('program_error', { message: 'it fails' });
  const failed = await world.when(id, ({ status }) => status === 'failed');
  const head = await readHead(world.store, `experiments/${id}`);
  expect(head).toMatchObject({ outcome: { reason: 'program_error' } });

  const retries = await Promise.allSettled([verbs.retry(id), verbs.retry(id), verbs.retry(id)]);
  expect(retries.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected']);
  expect(await refusalOf(verbs.retry(id))).toMatchObject({ code: 'not-failed' });
  const seen: LiveEvent[] = [];
  const followed = (async () => {
    for await (const event of experiments.subscribe(id)) seen.push(event);
  })();
  const next = await worker.next();
  expect(next.ticket.fence).toBeGreaterThan(head?.fence ?? Infinity);
  // Another budget of time, too.
  expect(await next.specification()).toMatchObject({ trainedMs: 0, checkpointStep: 4 });
  expect(next.start().step).toBe(4);
  expect(await world.when(id, ({ status }) => status === 'running')).toMatchObject({
    failures: 0,
    reason: null,
    message: null,
    endedAt: null,
    attempts: [failed.attempts[0], { status: 'running' }],
  });
  await expect(failing.train(7).commit()).rejects.toThrow(LeaseLost);
  await next.train(8).succeed();
  await followed;
  expect(seen.filter(({ type }) => type === 'status').map(({ data }) => 'status' in data && data.status)).toEqual([
    'queued',
    'running',
    'failed',
    'queued',
    'running',
    'succeeded',
  ]);
  const { items } = await experiments.logPage(id);
  expect(items.map(({ step, row }) => [step, row['fence']])).toEqual([
    ...[1, 2, 3, 4].map((step) => [step, 1]),
    ...[5, 6, 7, 8].map((step) => [step, next.ticket.fence]),
  ]);
  expect(await refusalOf(verbs.retry(id))).toMatchObject({ code: 'not-failed', facts: { status: 'succeeded' } });
  expect(await actionsOn(record, id)).toEqual(['submit', 'end', 'retry']);
});

test('a retry of which a crash left the lease closed is finished, also where it is cancelled meanwhile', async ({
  world,
  record,
}) => {
  const { experiments, verbs } = await world.start();
  await world.readyDataset();
  const ids = [await world.submit(), await world.submit()];
  const [first = '', second = ''] = ids;
  for (const id of ids) await experiments.cancel(id);
  for (const id of ids) await world.when(id, ({ status }) => status === 'cancelled');
  await world.platform.close();
  // A job of it may have been out, or not yet.
  const [ofFirst = 0, ofSecond = 0] = await Promise.all(
    ids.map(async (id) => (await readHead(world.store, `experiments/${id}`))?.fence),
  );
  // As far as a process has come that died before it had reopened the lease.
  for (const [id, fence] of [
    [first, ofFirst],
    [second, ofSecond],
  ] as const)
    await new LifeWriter(record).write(async (lives) => (await lives.find(id))?.retry(fence, new Date()));
  const again = await world.start({ role: 'api' });
  expect(await again.experiments.cancel(second)).toMatchObject({ status: 'cancelled' });
  expect(await readHead(world.store, `experiments/${second}`)).toMatchObject({
    fence: ofSecond + 2,
    outcome: { reason: 'cancelled' },
  });
  expect(await readHead(world.store, `experiments/${first}`)).toMatchObject({ fence: ofFirst });
  await again.close();

  const led = await world.start();
  const attempt = await world.worker('gpu-1').next();
  expect(attempt.ticket).toMatchObject({ id: first, fence: ofFirst + 2 });
  await attempt.start().train(2).succeed();
  expect(await world.when(first, ({ status }) => status === 'succeeded')).toMatchObject({ cancelRequested: false });
  expect(await led.experiments.get(second)).toMatchObject({ status: 'cancelled', cancelRequested: true });
  expect(await refusalOf(verbs.retry('exp_0'))).toMatchObject({ code: 'not-found' });
});

test('a run is paused until it is resumed, and what waits is paused at once, its job taken back', async ({
  world,
  record,
}) => {
  const { experiments, verbs } = await world.start();
  await world.readyDataset();
  const [id, waits] = [await world.submit(), await world.submit()];
  const worker = world.worker('gpu-1');
  const attempt = (await worker.next()).start().train(3);
  await world.when(id, ({ status }) => status === 'running');
  await world.when(waits, ({ attempts }) => attempts.length === 1);

  expect(await verbs.pause(waits)).toMatchObject({
    status: 'paused',
    pauseRequested: false,
    attempts: [{ status: 'ended', reason: 'paused', startedAt: null }],
  });
  for (let times = 0; times < 2; times += 1)
    expect(await verbs.pause(id)).toMatchObject({ status: 'running', pauseRequested: true });
  // It goes on if it is resumed before its worker has stopped.
  expect(await verbs.resume(id)).toMatchObject({ status: 'running', pauseRequested: false });
  await verbs.pause(id);
  await until(() => worker.commands.length >= 4);
  expect(worker.commands[0]).toEqual({ type: 'pause', kind: 'experiment', id, fence: 1 });
  await attempt.commit();
  await attempt.end('paused');
  expect(await world.when(id, ({ status }) => status === 'paused')).toMatchObject({
    preemptions: 0,
    failures: 0,
    pauseRequested: false,
  });

  expect(await verbs.pause(id)).toMatchObject({ status: 'paused' });
  expect(await refusalOf(verbs.preempt(id))).toMatchObject({ code: 'not-running', facts: { status: 'paused' } });
  expect(await refusalOf(verbs.retry(id))).toMatchObject({ code: 'not-failed', facts: { status: 'paused' } });
  const later = await world.submit();
  // Nobody works on what is paused, and nobody who has the old job can.
  const other = (await worker.next()).start();
  expect(other.ticket.id).toBe(later);
  await expect(world.claimAs('late', waits, 1)).rejects.toThrow(LeaseRefused);

  expect(await experiments.cancel(waits)).toMatchObject({ status: 'cancelled' });
  expect(await refusalOf(verbs.resume(waits))).toMatchObject({ code: 'ended-already' });
  expect(await verbs.resume(id)).toMatchObject({ status: 'queued' });
  expect(await verbs.resume(id)).toMatchObject({ status: 'queued' });
  await other.succeed();
  const next = await worker.next();
  expect(next.ticket).toMatchObject({ id, fence: 2 });
  expect(next.start().step).toBe(3);
  await next.train(4).succeed();
  await world.when(id, ({ status }) => status === 'succeeded');
  expect(await actionsOn(record, id)).toEqual(['submit', 'pause', 'resume', 'pause', 'resume']);
});

test('what is to be paused is so whoever dies: its worker, or who takes its job back; and is cancelled rather than paused', async ({
  world,
  record,
}) => {
  const { verbs, experiments } = await world.start();
  await world.readyDataset();
  const [lost, cancelled] = [await world.submit(), await world.submit()];
  const workers = [world.worker('gpu-1'), world.worker('gpu-2')];
  const attempts = await Promise.all(workers.map(async (worker) => (await worker.next()).start()));
  const attemptOf = (id: string) => attempts.find(({ ticket }) => ticket.id === id);
  for (const id of [lost, cancelled]) {
    await world.when(id, ({ status }) => status === 'running');
    await verbs.pause(id);
  }
  await attemptOf(lost)?.end('trainer_killed');
  expect(await world.when(lost, ({ status }) => status === 'paused')).toMatchObject({ losses: 1 });
  await experiments.cancel(cancelled);
  expect(await refusalOf(verbs.pause(cancelled))).toMatchObject({ code: 'ending-already' });
  // The worker had heard of the pause first.
  await attemptOf(cancelled)?.end('paused');
  await world.when(cancelled, ({ status }) => status === 'cancelled');

  const [crashed, both] = [await world.submit(), await world.submit()];
  const held = await Promise.all([workers[0]?.next(), workers[1]?.next()]);
  expect(held.map((attempt) => attempt?.ticket.id).toSorted()).toEqual([crashed, both].toSorted());
  const waiting = [await world.submit(), await world.submit()];
  const [first = '', second = ''] = waiting;
  for (const id of waiting) await world.when(id, ({ attempts: all }) => all.length === 1);
  // As far as one has come that died: it was asked for, and the fence is claimed by the record, or not even that.
  const lease = await world.claimAs('record', first, 1);
  await lease.release();
  const writer = new LifeWriter(record);
  await writer.write(async (lives) => (await lives.find(first))?.requestPause(new Date()));
  await writer.write(async (lives) => {
    const life = await lives.find(second);
    life?.requestPause(new Date());
    life?.requestCancel();
  });
  await world.when(first, ({ status }) => status === 'paused');
  await world.when(second, ({ status }) => status === 'cancelled');
});

test('notes, tags and priority are changed, in the spec that is shown, and a job that waits gets another rank', async ({
  world,
  record,
}) => {
  const { experiments, verbs } = await world.start();
  await world.readyDataset();
  const [first, second] = [await world.submit({ tags: ['new', 'new'] }), await world.submit({ notes: 'of before' })];
  for (const id of [first, second]) await world.when(id, ({ attempts }) => attempts.length === 1);
  const taggedWith = async (...tag: string[]): Promise<string[]> =>
    (await experiments.list({ tag, status: undefined, where: undefined })).items.map(({ id }) => id);
  expect(await taggedWith('new')).toEqual([first]);
  const { spec } = await experiments.get(second);
  const changed = await verbs.change(second, { priority: 5, addTags: ['good', 'good', 'bad'], notes: '' });
  const { notes: _notes, ...rest } = spec;
  expect(changed.spec).toEqual({ ...rest, priority: 5, tags: ['good', 'bad'] });
  expect(await taggedWith('good', 'bad')).toEqual([second]);
  expect((await verbs.change(second, { removeTags: ['bad', 'none'] })).spec.tags).toEqual(['good']);
  expect((await verbs.change(first, { tags: [] })).spec).not.toHaveProperty('tags');
  expect([await taggedWith('new'), await taggedWith('bad'), await taggedWith('good')]).toEqual([[], [], [second]]);
  // The ranks that jobs have by now are not in their order.
  await until(async () => {
    const lives = await record.db.selectFrom('lives').select(['id', 'queueRank']).execute();
    const rankOf = (id: string): number => lives.find((life) => life.id === id)?.queueRank ?? Infinity;
    return rankOf(second) < rankOf(first);
  });
  expect((await world.worker('gpu-1').next()).ticket.id).toBe(second);

  const addTags = Array.from({ length: 50 }, (_, index) => `tag ${index}`);
  expect(await refusalOf(verbs.change(second, { addTags }))).toMatchObject({ code: 'out-of-range' });
  expect(await refusalOf(verbs.change(second, { addTags: ['a\u200B'] }))).toMatchObject({ code: 'rule-broken' });
  await verbs.change(second, { priority: 5 });
  expect(await actionsOn(record, second)).toEqual(['submit', 'change', 'change']);
});

/** What was done with an experiment, in order. */
async function actionsOn(record: PlatformRecord, id: string): Promise<string[]> {
  const rows = await record.db
    .selectFrom('audit')
    .select('action')
    .where('subject', '=', id)
    .orderBy('number')
    .execute();
  return rows.map(({ action }) => action);
}
