import { until } from '@longrun/platform/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { World } from './world.js';

let world: World;

beforeAll(async () => {
  world = await World.begin();
});

afterAll(async () => {
  await world.end();
});

test('a record that falls behind gets every row: the trainer waits for it, and no row is left out', async () => {
  const reports: string[] = [];
  // Small, and yet with room for the rows that are on their way from the trainer. That a record which takes nothing for long
  // is not waited for is shown elsewhere.
  const outbox = { maxPendingBytes: 300_000, stillAfterMs: 600_000 };
  const stop = await world.localWorker({
    workerId: 'small',
    outbox,
    checkEveryMs: 50,
    report: (sentence) => reports.push(sentence),
  });
  const id = await world.submit({ epochs: 40 }, { checkpoint: { everyBatches: 500 } });
  await world.whenLogged(id, 1);
  await world.platform.close();
  await until(() => reports.some((sentence) => sentence.endsWith('the trainer waits for it now and then')), undefined);

  const platform = await world.startAgain();
  await until(async () => (await platform.experiments.get(id)).status === 'succeeded');
  const steps: number[] = [];
  for await (const event of platform.experiments.subscribe(id))
    if (event.type === 'log_row') steps.push(event.data.step);
  // The row of step 0 has what was evaluated before training.
  expect([...new Set(steps)].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1201 }, (_, step) => step));
  await stop();
  await platform.close();
});
