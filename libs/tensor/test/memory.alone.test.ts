import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { batch, mlp, trainingStep } from './mlp.js';

const MEGABYTE = 1e6;
const MARK_COMPACT = 4;

/** How often V8 collects the whole heap while `body` runs. */
async function markCompacts(body: () => Promise<void>): Promise<number> {
  let count = 0;
  const observer = new PerformanceObserver((list) => {
    count += list.getEntries().filter((entry) => Reflect.get(entry, 'detail')?.kind === MARK_COMPACT).length;
  });
  observer.observe({ entryTypes: ['gc'] });
  await body();
  // Entries come in a later turn of the event loop.
  await delay(1);
  observer.disconnect();
  return count;
}

test('a training state that is allocated anew each step neither grows nor keeps the garbage collector busy', async () => {
  const network = mlp([784, 500, 500, 10], 'float32');
  const { train, state } = await trainingStep(network);
  const batches = [0, 1, 2, 3].map((seed) => batch(network, 128, seed));
  const steps = async (count: number): Promise<void> => {
    for (let step = 0; step < count; step += 1) await train.run(batches[step % batches.length] ?? []);
  };
  const values = await Promise.all(state.map((variable) => variable.getValue()));
  const stateBytes = values.reduce((total, { data }) => total + data.byteLength, 0);
  await steps(50);
  const before = process.memoryUsage().rss;
  const collections = await markCompacts(() => steps(600));
  const growth = process.memoryUsage().rss - before;

  // If a hundredth of the buffers stayed, it would be as much as this.
  expect(600 * stateBytes * 0.01).toBeGreaterThan(40 * MEGABYTE);
  expect(growth).toBeLessThan(40 * MEGABYTE);
  expect(collections).toBeLessThanOrEqual(5);
  // What is left to the garbage collector after it has lived for some steps keeps it busy.
  const held: Float32Array[] = [];
  const ofGarbage = await markCompacts(async () => {
    for (let at = 0; at < 600; at += 1) held[at % 20] = new Float32Array(stateBytes / 4).fill(at);
  });
  expect(ofGarbage).toBeGreaterThan(5);
});
