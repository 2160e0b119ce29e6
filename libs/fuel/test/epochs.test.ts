import * as fc from 'fast-check';
import { RandomStreams } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { DatasetStream, ShuffledExampleScheme, ShuffledScheme, type IterationScheme } from '../src/index.js';
import { drain, elements, toyDataset } from './toy.js';

test('every example comes exactly once in each shuffled epoch', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 20 }),
      fc.nat(),
      async (count, size, seed) => {
        for (const scheme of shuffled(count, size, seed)) {
          const stream = new DatasetStream(toyDataset(count), scheme);
          for (let epoch = 0; epoch < 3; epoch += 1) {
            const seen = elements(await drain(stream), 'targets').flat();
            expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
            await stream.nextEpoch();
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('each epoch has an order of its own, and the same seed the same orders', async () => {
  const orders = async (seed: number): Promise<number[][][]> => {
    const all: number[][][] = [];
    for (const scheme of shuffled(50, 8, seed)) {
      const stream = new DatasetStream(toyDataset(50), scheme);
      const epochs: number[][] = [];
      for (let epoch = 0; epoch < 4; epoch += 1) {
        epochs.push(elements(await drain(stream), 'targets').flat());
        await stream.nextEpoch();
      }
      all.push(epochs);
    }
    return all;
  };

  const first = await orders(1);
  for (const epochs of first) expect(new Set(epochs.map((order) => order.join())).size).toBe(4);
  expect(await orders(1)).toEqual(first);
  expect(await orders(2)).not.toEqual(first);
});

test('the batches of an epoch are full but for the last', async () => {
  const random = new RandomStreams(1).stream('order');
  const stream = new DatasetStream(toyDataset(20), new ShuffledScheme(20, 8, { random }));

  const sizes = elements(await drain(stream), 'targets').map((batch) => batch.length);

  expect(sizes).toEqual([8, 8, 4]);
  expect(stream.batchesPerEpoch).toBe(3);
});

function shuffled(count: number, size: number, seed: number): IterationScheme[] {
  const random = new RandomStreams(seed).stream('order');
  return [new ShuffledScheme(count, size, { random }), new ShuffledExampleScheme(count, { random })];
}
