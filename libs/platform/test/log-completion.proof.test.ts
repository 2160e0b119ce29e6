import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { LiveEvent } from '@longrun/contracts';
import { newestManifest } from '@longrun/serialization';
import { expect } from 'vitest';

import { readSeries } from '../src/life/series.js';
import { until } from '../src/testing/index.js';
import { impatient, test, type World } from './world.js';

test('rows that died with a worker, but are in its checkpoint, are in the record before the run ends', async ({
  world,
}) => {
  const id = await begin(world);
  const followed = follow(world, id);
  const lost = await world.worker('gpu-1').next();
  lost.start().train(20);
  await world.when(id, ({ attempts }) => attempts[0]?.lastStep === 20);
  lost.train(50, { silently: true });
  await lost.commit();
  lost.train(60, { silently: true });
  lost.freeze();
  expect(await stepsOf(world, id)).toEqual(upTo(20));

  const successor = await world.worker('gpu-2').next();
  successor.start();
  await until(async () => (await stepsOf(world, id)).length === 50);
  await successor.train(70).commit();
  await successor.succeed();
  await world.when(id, ({ status }) => status === 'succeeded');
  expect(await stepsOf(world, id)).toEqual(upTo(70));
  expect(rowStepsOf(await followed).toSorted((a, b) => a - b)).toEqual(upTo(70));
});

test('a run whose every word was lost ends with its outcome and its whole log', async ({ world }) => {
  const id = await begin(world);
  const attempt = await world.worker('gpu-1').next();
  await world.when(id, ({ status }) => status === 'running');
  attempt.train(100, { silently: true });
  await attempt.commit();
  attempt.train(961, { silently: true });
  await attempt.commit();
  await attempt.succeed({ silently: true });
  await world.redis.flushAll();
  const followed = await follow(world, id);
  expect(await stepsOf(world, id)).toEqual(upTo(961));
  expect(rowStepsOf(followed)).toEqual(upTo(961));
  expect(followed.at(-1)).toMatchObject({ type: 'status', data: { status: 'succeeded' } });
});

test('rows that the outbox left out are taken from the next checkpoint, and the end waits for them', async ({
  world,
}) => {
  const id = await begin(world);
  const attempt = await world.worker('gpu-1').next();
  attempt.start().train(10).train(30, { silently: true });
  attempt.outbox.send({ type: 'log_skipped', toStep: 30 });
  attempt.train(40);
  await attempt.commit();
  await until(async () => (await stepsOf(world, id)).length === 40);
  attempt.train(50, { silently: true });
  attempt.outbox.send({ type: 'log_skipped', toStep: 50 });
  await attempt.commit();
  await attempt.succeed();
  await world.when(id, ({ status }) => status === 'succeeded');
  expect(await stepsOf(world, id)).toEqual(upTo(50));
});

test.for([
  ['after its last checkpoint', 10],
  ['before its first', 0],
] as const)(
  'of a run that failed %s every row is in the record, though every word was lost',
  async ([, committed], { world }) => {
    const id = await begin(world);
    const attempt = await world.worker('gpu-1').next();
    if (committed > 0) await attempt.train(committed, { silently: true }).commit();
    attempt.train(25, { silently: true });
    await attempt.leaveLog();
    await attempt.endSilently('invalid_params');
    await world.redis.flushAll();
    await world.when(id, ({ status }) => status === 'failed');
    expect(await stepsOf(world, id)).toEqual(upTo(25));
  },
);

test('rows that the outbox left out after the last checkpoint are there when the run ends', async ({ world }) => {
  const id = await begin(world);
  const attempt = await world.worker('gpu-1').next();
  await attempt.start().train(10).commit();
  attempt.train(15).train(25, { silently: true });
  attempt.outbox.send({ type: 'log_skipped', toStep: 25 });
  attempt.train(30);
  await attempt.leaveLog();
  await attempt.lease.end({ reason: 'invalid_params', step: 30 });
  await attempt.end('invalid_params');
  await world.when(id, ({ status }) => status === 'failed');
  expect(await stepsOf(world, id)).toEqual(upTo(30));
});

test('of an attempt that failed, was to be tried again and was cancelled in the queue, every row is there', async ({
  world,
}) => {
  const id = await begin(world);
  const attempt = await world.worker('gpu-1').next();
  await attempt.start().train(10).commit();
  await world.when(id, ({ attempts }) => attempts[0]?.lastStep === 10);
  attempt.train(25, { silently: true });
  await attempt.leaveLog();
  attempt.freeze();
  await attempt.worker.close();
  const [lost] = (await world.when(id, ({ status }) => status === 'queued')).attempts;
  expect(lost).toMatchObject({ reason: 'worker_lost' });
  expect(await stepsOf(world, id)).toEqual(upTo(10));
  await world.platform.experiments.cancel(id);
  await world.when(id, ({ status }) => status === 'cancelled');
  expect(await stepsOf(world, id)).toEqual(upTo(25));
});

test('of an attempt of which nothing was ever heard every row is there, though the next one ends before it has begun', async ({
  world,
}) => {
  const id = await begin(world);
  await world.when(id, ({ attempts }) => attempts.length > 0);
  await world.platform.close();
  const first = await world.worker('gpu-1').next();
  first.train(25, { silently: true });
  await first.leaveLog();
  await first.worker.close();
  await world.redis.flushAll();
  await world.start(impatient);
  await world.when(id, ({ attempts }) => attempts[0]?.reason === 'worker_lost');
  const second = await world.worker('gpu-2').next();
  await second.lease.end({ reason: 'dataset_unavailable', step: 0 });
  await second.end('dataset_unavailable');
  const ended = await world.when(id, ({ status }) => status === 'failed');
  expect(ended.attempts).toMatchObject([{ startStep: null, lastStep: null }, { startStep: null }]);
  expect(await stepsOf(world, id)).toEqual(upTo(25));
});

test('what an attempt left is void once a later one has gone on from its checkpoint', async ({ world, record }) => {
  const id = await begin(world);
  const first = await world.worker('gpu-1').next();
  await first.start().train(10).commit();
  first.train(25);
  await first.leaveLog();
  await first.end('program_error');
  const second = await first.worker.next();
  second.start().train(12);
  await world.when(id, ({ attempts }) => attempts[1]?.lastStep === 12);
  second.freeze();
  await second.worker.close();
  await world.when(id, ({ status }) => status === 'queued');
  await world.platform.experiments.cancel(id);
  await world.when(id, ({ status }) => status === 'cancelled');
  expect(await stepsOf(world, id)).toEqual(upTo(12));
  // Nor does it come twice.
  const [points] = await readSeries(record.db, id, ['fence'], { superseded: true });
  expect(points?.steps.toSorted((a, b) => a - b)).toEqual([...upTo(10), 11, 11, 12, 12, ...upTo(25).slice(12)]);
});

test('a copy that is damaged is written again when a run has ended', async ({ world }) => {
  const id = await begin(world);
  const attempt = await world.worker('gpu-1').next();
  attempt.train(10, { silently: true });
  await attempt.leaveLog();
  const [segment] = attempt.lease.head().log?.log ?? [];
  if (segment === undefined) throw new Error('nothing was left');
  await damage(world, segment.keys[1]);
  await attempt.endSilently('invalid_params');
  await world.redis.flushAll();
  await world.when(id, ({ status }) => status === 'failed');
  expect(await stepsOf(world, id)).toEqual(upTo(10));
  const [one, other] = await Promise.all(segment.keys.map(async (key) => await world.store.get(key)));
  expect(other).toEqual(one);
});

test('rows that no copy has any more are said, once, and the run ends all the same', async ({ world }) => {
  const id = await begin(world);
  const lost = await world.worker('gpu-1').next();
  lost.start().train(10, { silently: true });
  await lost.commit();
  const manifest = await newestManifest(world.store, `experiments/${id}`);
  for (const key of manifest?.log[0]?.keys ?? []) await damage(world, key);
  lost.freeze();
  const successor = await world.worker('gpu-2').next();
  await successor.start().train(15).succeed();
  await world.when(id, ({ status }) => status === 'succeeded');
  const lines = (await follow(world, id)).flatMap((event) => (event.type === 'line' ? event.data.text : []));
  expect(lines.filter((text) => text.includes('10 log rows of steps 1 to 10 are lost'))).toHaveLength(1);
  expect(await stepsOf(world, id)).toEqual([11, 12, 13, 14, 15]);
});

async function begin(world: World): Promise<string> {
  await world.start(impatient);
  await world.readyDataset();
  return world.submit();
}

async function stepsOf(world: World, id: string): Promise<number[]> {
  return (await world.platform.experiments.logPage(id, { limit: 5_000 })).items.map(({ step }) => step);
}

async function follow(world: World, id: string): Promise<LiveEvent[]> {
  const events: LiveEvent[] = [];
  for await (const event of world.platform.experiments.subscribe(id)) events.push(event);
  return events;
}

function rowStepsOf(events: readonly LiveEvent[]): number[] {
  return events.flatMap((event) => (event.type === 'log_row' ? event.data.step : []));
}

async function damage(world: World, key: string): Promise<void> {
  await writeFile(join(fileURLToPath(world.store.url), key), 'other bytes');
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
