import type { WorkerEvent } from '@longrun/contracts';
import { expect } from 'vitest';

import { ExperimentByHand } from './by-hand.js';
import { test } from './world.js';

test('a checkpoint of a step that was reached before ends no row of losses', async ({ record }) => {
  const experiment = await ExperimentByHand.start(record);
  const lossesAfter = async (from: number, checkpoint: number): Promise<number> => {
    await experiment.take(await experiment.goOnFrom(from), committed(checkpoint));
    return experiment.write(({ row }) => row.losses);
  };
  expect(await lossesAfter(0, 0)).toBe(0);
  expect(await lossesAfter(0, 0)).toBe(1);
  expect(await lossesAfter(0, 5)).toBe(0);
  // It says that it goes on from elsewhere than from its checkpoint.
  for (const [before, from] of [5, 5, 0].entries()) expect(await lossesAfter(from, 5)).toBe(before + 1);
  expect(await lossesAfter(5, 6)).toBe(0);
});

test('an attempt that has to go back, as the newest checkpoints are damaged, makes progress from there', async ({
  record,
}) => {
  const experiment = await ExperimentByHand.start(record);
  await experiment.take(await experiment.goOnFrom(0), committed(500));
  const rejectedCheckpoints = [{ manifestKey: 'checkpoints/500', step: 500, reason: 'its checksum is another one' }];
  const fence = await experiment.goOnFrom(100, { rejectedCheckpoints });
  expect(await experiment.write(({ row }) => row.losses)).toBe(1);
  await experiment.take(fence, committed(100));
  expect(await experiment.write(({ row }) => row.losses)).toBe(1);
  await experiment.take(fence, committed(200));
  expect(await experiment.write(({ row }) => row.losses)).toBe(0);
});

function committed(step: number): WorkerEvent {
  return { type: 'checkpoint_committed', step, sizeBytes: 25 };
}
