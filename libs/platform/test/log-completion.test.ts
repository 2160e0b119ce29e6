import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { LiveEvent } from '@longrun/contracts';
import { newestManifest } from '@longrun/serialization';
import { expect } from 'vitest';

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
  return (await world.platform.experiments.logRows(id, { limit: 5_000 })).map(({ step }) => step);
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
