import { expect } from 'vitest';

import { resultAt } from './scripted-worker.js';
import { test } from './world.js';

test('an experiment goes from submission over a worker to its result', async ({ world }) => {
  await world.start();
  const datasetId = await world.readyDataset();
  const id = await world.submit({ name: 'first' });
  const worker = world.worker('gpu-1');

  const attempt = await worker.next();
  expect(await attempt.specification()).toMatchObject({
    id,
    spec: { params: { dims: [4, 2], batchSize: 128 } },
    dataset: { id: datasetId, sizeBytes: 'bytes of digits'.length },
  });
  attempt.start().train(3);
  await attempt.commit();
  attempt.train(5);
  await attempt.succeed();

  const experiment = await world.when(id, ({ status }) => status === 'succeeded');
  expect(experiment).toMatchObject({
    name: 'first',
    reason: 'succeeded',
    result: resultAt(5),
    failures: 0,
    preemptions: 0,
    attempts: [
      { epoch: 1, status: 'ended', reason: 'succeeded', workerId: 'gpu-1', startStep: 0, lastStep: 5, stepsRun: 5 },
    ],
    checkpoints: [{ step: 3, epoch: 1, sizeBytes: 25 }],
  });
  expect(await world.platform.experiments.logRows(id)).toEqual(
    [1, 2, 3, 4, 5].map((step) => ({ step, row: { cost: 1 / step, epoch: 1 } })),
  );
});
