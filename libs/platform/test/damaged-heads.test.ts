import { readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect } from 'vitest';

import { until } from '../src/testing/index.js';
import { impatient, test, type World } from './world.js';

test('one whose head is damaged ends with that, and those behind it are brought back', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const [first, ...others] = [await world.submit(), await world.submit(), await world.submit()] as const;
  for (const id of [first, ...others]) await queued(world, id);
  await replace(world, first);
  await world.redis.flushAll();
  const damaged = await world.when(first, ({ endedAt }) => endedAt !== null);
  expect(damaged).toMatchObject({ status: 'failed', reason: 'checkpoints_damaged' });
  expect(damaged.message).toContain(`experiments/${first}/head.json is not a JSON object`);
  expect(Buffer.from((await world.store.readRegister(headKey(first)))?.bytes ?? []).toString()).toBe('no head');
  const worker = world.worker('gpu-1');
  const brought = new Set<string>();
  for (const _ of others) {
    const attempt = await worker.next();
    const { id } = attempt.ticket;
    brought.add(id);
    attempt.start().train(1);
    await attempt.succeed();
    await world.when(id, ({ status }) => status === 'succeeded');
  }
  expect(brought).toEqual(new Set(others));
});

test('one that ran when its head was damaged ends, and its neighbour is given to another worker', async ({ world }) => {
  await world.start(impatient);
  await world.readyDataset();
  const [first, second] = [await world.submit(), await world.submit()];
  const attempts = [await world.worker('gpu-1').next(), await world.worker('gpu-2').next()];
  for (const attempt of attempts) attempt.start().train(2);
  for (const id of [first, second]) await world.when(id, ({ attempts: [one] }) => one?.lastStep === 2);
  await damage(world, first);
  for (const attempt of attempts) attempt.freeze();
  expect(await world.when(first, ({ endedAt }) => endedAt !== null)).toMatchObject({ reason: 'checkpoints_damaged' });
  const successor = await world.worker('gpu-3').next();
  expect(successor.ticket).toEqual({ id: second, fence: 2 });
});

test('one whose head is damaged can be cancelled', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  await queued(world, id);
  await damage(world, id);
  await world.platform.experiments.cancel(id);
  const ended = await world.when(id, ({ endedAt }) => endedAt !== null);
  expect(ended).toMatchObject({ status: 'cancelled', reason: 'cancelled' });
});

test('a head of a newer build is left alone, and keeps nobody else waiting', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const [first, second] = [await world.submit(), await world.submit()];
  for (const id of [first, second]) await queued(world, id);
  await replace(world, first, JSON.stringify({ version: 99 }));
  await world.redis.flushAll();
  const attempt = await world.worker('gpu-1').next();
  expect(attempt.ticket.id).toBe(second);
  await until(() => world.warnings.some((one) => one.includes('it was written by a newer build')));
  expect(await world.platform.experiments.get(first)).toMatchObject({ status: 'queued', endedAt: null });
});

async function queued(world: World, id: string): Promise<void> {
  await world.when(id, ({ attempts }) => attempts.length === 1);
}

/** Writes something else where the head is. */
async function replace(world: World, id: string, bytes = 'no head'): Promise<void> {
  const key = headKey(id);
  const found = await world.store.readRegister(key);
  await world.store.compareAndSet(key, found?.version ?? null, Buffer.from(bytes));
}

/** Leaves of the head what a disk leaves that lost its power: a file without its bytes. */
async function damage(world: World, id: string): Promise<void> {
  await replace(world, id);
  const folder = join(fileURLToPath(world.store.url), `${headKey(id)}~`);
  const newest = (await readdir(folder))
    .filter((name) => /^\d+$/.test(name))
    .toSorted()
    .at(-1);
  await truncate(join(folder, newest ?? 'none'));
}

function headKey(id: string): string {
  return `experiments/${id}/head.json`;
}
