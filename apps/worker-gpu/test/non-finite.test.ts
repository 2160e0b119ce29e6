import type { LiveEvent } from '@longrun/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Gate } from './gate.js';
import { World } from './world.js';

/** The parameters are broken after step 29: the cost of step 30 is the first that is not finite. Nothing of it is logged. */
const params = { epochs: 2, logsCost: false, fault: { kind: 'nan', step: 29 } };
const nonFinite = { step: 30, record: 'cost', value: 'NaN' };
let world: World;

beforeAll(async () => {
  world = await World.begin();
});

afterAll(async () => {
  await world.end();
});

test('a cost that is not finite is said at once, in the log, in lists and on its own, and training goes on', async () => {
  await world.worker();
  const gate = await Gate.make();
  const id = await world.submit({ ...params, holds: [gate.after(40)] });
  const running = await world.when(id, (experiment) => experiment.nonFinite !== null);
  expect(running).toMatchObject({ status: 'running', nonFinite });
  const [listed] = (await world.platform.experiments.list({ limit: 1 })).items;
  expect(listed).toMatchObject({ id, nonFinite });
  await gate.open();

  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'succeeded', nonFinite });
  expect(linesOf(await world.events(id)).filter((line) => line.includes('cost'))).toEqual([
    '[longrun] cost is NaN at step 30: it is no finite number.',
  ]);
});

test('with onNonFinite: stop it ends there as diverged, and its last checkpoint stays', async () => {
  await world.worker();
  const id = await world.submit(params, { onNonFinite: 'stop', checkpoint: { everyBatches: 7 } });
  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'failed', reason: 'diverged', failures: 1, nonFinite });
  expect(ended.message).toBe('cost is NaN at step 30, and onNonFinite is stop');
  expect(ended.attempts).toMatchObject([{ reason: 'diverged', lastStep: 30 }]);
  expect((await world.head(id)).checkpoints.map(({ step }) => step)).toEqual([28, 21, 14]);
});

test('one that is killed on the way ends at the same step', async () => {
  const worker = await world.worker();
  const gate = await Gate.make();
  const held = { ...params, holds: [gate.after(20)] };
  const id = await world.submit(held, { onNonFinite: 'stop', checkpoint: { everyBatches: 7 } });
  await world.when(id, ({ checkpoints }) => checkpoints.length > 0);
  worker.signal('SIGKILL');
  await worker.exited;
  await gate.open();
  await world.worker();
  const ended = await world.whenEnded(id);
  expect(ended.attempts.map(({ reason }) => reason)).toEqual(['worker_lost', 'diverged']);
  expect(ended.attempts[1]?.startStep).toBeGreaterThanOrEqual(7);
  expect(ended).toMatchObject({
    reason: 'diverged',
    nonFinite,
    message: 'cost is NaN at step 30, and onNonFinite is stop',
  });
  expect((await world.head(id)).checkpoints[0]?.step).toBe(28);
});

function linesOf(events: readonly LiveEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'line' ? [event.data.text] : []));
}
