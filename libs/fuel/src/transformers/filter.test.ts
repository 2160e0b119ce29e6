import { assertResumable } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { dense, drain, elements, toyDataset } from '../../test/toy.js';
import { ConstantScheme } from '../schemes/constant-scheme.js';
import { SequentialExampleScheme } from '../schemes/sequential-example-scheme.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { Batching } from './batching.js';
import { Filter } from './filter.js';

const odd = () =>
  new Filter(
    new DatasetStream(toyDataset(7), new SequentialExampleScheme(7)),
    (columns) => Number(dense({ columns }, 'targets').data[0]) % 2 === 1,
  );

test('2.5-12: what the predicate is true for is kept, of examples and of batches, in each epoch', async () => {
  const stream = odd();
  const batches = new Filter(
    new DatasetStream(toyDataset(7), new SequentialScheme(7, 3)),
    (_columns, { index }) => index !== 1,
  );

  const kept = await drain(stream);
  expect(elements(kept, 'targets')).toEqual([[1], [3], [5]]);
  expect(kept.map(({ index }) => index)).toEqual([0, 1, 2]);
  await stream.nextEpoch();
  expect(await stream.next()).toMatchObject({ epoch: 1, index: 0 });
  expect(elements(await drain(batches), 'targets')).toEqual([[0, 1, 2], [6]]);
  expect(stream.batchesPerEpoch).toBeNull();
});

test('it can be resumed at every example, and inside of a batch', async () => {
  await assertResumable(odd);
  await assertResumable(() => new Batching(odd(), new ConstantScheme(2)), { epochs: 3 });
});
