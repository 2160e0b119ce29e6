import type { StoredLogRow } from '@longrun/contracts';
import { until } from '@longrun/platform/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Gate } from './gate.js';
import { World } from './world.js';

/** 2 epochs of 30 batches. */
const params = { epochs: 2 };
const byRole = { datasets: { train: 'digits', valid: 'others' } };

let world: World;

beforeAll(async () => {
  world = await World.begin();
});

afterAll(async () => {
  await world.end();
});

test('a run on two datasets that is killed and resumed reads both again, and ends as one that was not', async () => {
  await world.worker();
  const onOne = await world.submit(params);
  const undisturbed = await world.submit(params, byRole);
  const [ofOne, expected] = [await world.whenEnded(onOne), await world.whenEnded(undisturbed)];
  expect([ofOne.status, expected.status]).toEqual(['succeeded', 'succeeded']);
  // Trained on the same, tested on another.
  expect(expected.result?.parametersSha256).toBe(ofOne.result?.parametersSha256);
  const rows = await world.rows(undisturbed);
  expect(testCosts(rows)).toHaveLength(3);
  expect(testCosts(await world.rows(onOne))).toHaveLength(3);
  for (const [index, cost] of testCosts(await world.rows(onOne)).entries())
    expect(testCosts(rows)[index]).not.toBe(cost);

  const gate = await Gate.make();
  const killed = await world.submit({ ...params, holds: [gate.after(21)] }, byRole);
  const worker = await world.worker();
  await world.whenLogged(killed, 20);
  await until(async () => (await world.head(killed)).checkpoints.length > 0);
  worker.signal('SIGKILL');
  expect(await worker.exited).toBe('SIGKILL');
  await gate.open();
  await world.worker();

  const ended = await world.whenEnded(killed);
  expect(ended).toMatchObject({ status: 'succeeded', message: null, result: expected.result });
  expect(ended.attempts.map(({ reason }) => reason)).toEqual(['worker_lost', 'succeeded']);
  expect(ended.attempts[1]?.startStep).toBeGreaterThan(0);
  expect(await world.rows(killed)).toEqual(rows);
  expect(Object.keys(ended.datasets)).toEqual(['train', 'valid']);
});

test('a program that trains on a dataset which the experiment does not have is refused, with the roles that it has', async () => {
  await world.worker();
  const id = await world.submit(params, { datasets: { test: 'digits', valid: 'others' } });
  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'failed', reason: 'invalid_params' });
  expect(ended.message).toContain(
    'There is no dataset of the role train; the experiment has datasets of the roles test, valid',
  );
  expect(ended.attempts).toHaveLength(1);
});

function testCosts(rows: readonly StoredLogRow[]): unknown[] {
  return rows.flatMap(({ row }) => (row['test_cost'] === undefined ? [] : [row['test_cost']]));
}
