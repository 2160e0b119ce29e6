import type { CheckpointEntry } from '@longrun/serialization';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Gate } from './gate.js';
import { World } from './world.js';

/** 3 epochs of 30 batches, after each of which the cost on the test set is logged. */
const params = { epochs: 3 };
const RECORD = 'test_cost';
const checkpoint = { everyBatches: 15, keepLast: 1, keepEvery: 40, keepBest: { record: RECORD, mode: 'max' } } as const;

let world: World;

beforeAll(async () => {
  world = await World.begin();
});

afterAll(async () => {
  await world.end();
});

test('beside the last one the first of every n batches and the best by a record are kept, also by a run that was killed', async () => {
  const worker = await world.worker();
  const undisturbed = await world.submit(params, { checkpoint });
  expect(await world.whenEnded(undisturbed)).toMatchObject({ status: 'succeeded' });
  const costs = new Map(
    (await world.rows(undisturbed)).flatMap(({ step, row }) => (RECORD in row ? [[step, row[RECORD]]] : [])),
  );
  // What is measured at a step is that of the checkpoint of this step.
  expect([30, 60, 90].map((step) => typeof costs.get(step))).toEqual(['number', 'number', 'number']);
  const kept = await keptIn(undisturbed);
  expect(kept.map(({ step }) => step)).toEqual([90, 45, 30]);
  expect(kept.map(({ score }) => score)).toEqual([costs.get(90), undefined, costs.get(30)]);

  const gate = await Gate.make();
  const disturbed = await world.submit({ ...params, holds: [gate.after(35)] }, { checkpoint });
  await world.when(disturbed, ({ checkpoints }) => checkpoints.some(({ step }) => step === 30));
  worker.signal('SIGKILL');
  await worker.exited;
  await gate.open();
  await world.worker();
  const ended = await world.whenEnded(disturbed);
  expect(ended).toMatchObject({ status: 'succeeded', attempts: [{ startStep: 0 }, { startStep: 30 }] });
  expect(await keptIn(disturbed)).toEqual(kept);
});

test('a record that is never logged is said after the first epoch and at the end, once in a run, killed or not, whose result stays the same', async () => {
  const mistaken = { ...checkpoint, keepBest: { ...checkpoint.keepBest, record: 'tset_cost' } };
  const says = (step: number): RegExp =>
    new RegExp(
      `checkpoint\\.keepBest\\.record is "tset_cost", which was never logged up to step ${step}: .* Logged were "test_cost", .*Did you mean "test_cost"\\?$`,
    );
  const worker = await world.worker();
  const undisturbed = await world.submit(params, { checkpoint: mistaken });
  const whole = await world.whenEnded(undisturbed);
  expect(whole).toMatchObject({ status: 'succeeded', message: expect.stringMatching(says(90)) });
  expect(whole.attempts).toMatchObject([{ message: whole.message }]);
  expect(await saidIn(undisturbed)).toEqual([expect.stringMatching(says(44))]);

  const gate = await Gate.make();
  const disturbed = await world.submit({ ...params, holds: [gate.after(50)] }, { checkpoint: mistaken });
  await world.when(disturbed, ({ checkpoints }) => checkpoints.some(({ step }) => step === 45));
  worker.signal('SIGKILL');
  await worker.exited;
  await gate.open();
  await world.worker();
  const ended = await world.whenEnded(disturbed);
  expect(ended).toMatchObject({ status: 'succeeded', attempts: [{ startStep: 0 }, { startStep: 45 }] });
  expect({ result: ended.result, message: ended.message }).toEqual({ result: whole.result, message: whole.message });
  expect(await saidIn(disturbed)).toEqual([expect.stringMatching(says(44))]);
  expect(await world.rows(disturbed)).toEqual(await world.rows(undisturbed));
});

async function saidIn(id: string): Promise<string[]> {
  const lines = (await world.events(id)).flatMap((event) => (event.type === 'line' ? [event.data.text] : []));
  return lines.filter((line) => line.includes('keepBest'));
}

async function keptIn(id: string): Promise<Pick<CheckpointEntry, 'step' | 'score'>[]> {
  return (await world.head(id)).checkpoints.map(({ step, score }) => ({ step, score }));
}
