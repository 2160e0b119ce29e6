import { expect, test } from 'vitest';
import { elements, toyDataset } from '../../test/toy.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { DatasetStream } from './dataset-stream.js';
import type { Delivery } from './delivery.js';
import { iterateEpochs } from './iterate.js';

test('2.4-01, 2.4-11, 2.4-12: epochs come one after the other, what is left of the present one first', async () => {
  const stream = new DatasetStream(toyDataset(3), new SequentialScheme(3, 2));
  await stream.next();
  const epochs: Delivery[][] = [];
  for await (const epoch of iterateEpochs(stream)) {
    const batches: Delivery[] = [];
    for await (const batch of epoch) {
      batches.push(batch);
      // The second one is left early.
      if (epochs.length === 1) break;
    }
    epochs.push(batches);
    if (epochs.length === 3) break;
  }

  expect(epochs.map((batches) => elements(batches, 'targets'))).toEqual([[[2]], [[0, 1]], [[0, 1], [2]]]);
  expect(epochs[2]?.map(({ epoch, index }) => [epoch, index])).toEqual([
    [2, 0],
    [2, 1],
  ]);
});
