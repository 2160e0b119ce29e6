import { expect, test } from 'vitest';

import { batch, mlp, trainingStep } from './mlp.js';

const MEGABYTE = 1e6;

test('training allocates its state anew each step and yet does not grow', async () => {
  const network = mlp([784, 500, 500, 10], 'float32');
  const { train, state } = await trainingStep(network);
  const batches = [0, 1, 2, 3].map((seed) => batch(network, 128, seed));
  const steps = async (count: number): Promise<void> => {
    for (let step = 0; step < count; step += 1) await train.run(batches[step % batches.length] ?? []);
  };
  const stateBytes = state.reduce((total, variable) => total + variable.getValue().data.byteLength, 0);
  await steps(100);
  const before = process.memoryUsage().rss;
  await steps(300);
  const growth = process.memoryUsage().rss - before;

  // If even a tenth of the buffers stayed, it would be more than this.
  expect(300 * stateBytes * 0.1).toBeGreaterThan(200 * MEGABYTE);
  expect(growth).toBeLessThan(200 * MEGABYTE);
});
