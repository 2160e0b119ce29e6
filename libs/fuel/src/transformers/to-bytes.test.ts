import { assertResumable, ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { dense, drain } from '../../test/toy.js';
import { IndexableDataset } from '../datasets/indexable-dataset.js';
import { SequentialExampleScheme } from '../schemes/sequential-example-scheme.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { ToBytes } from './to-bytes.js';

const dataset = new IndexableDataset({ x: ndarray('uint16', [3, 1, 2], Uint16Array.of(1, 256, 2, 512, 3, 65_535)) });

test('2.5-24: the bytes of each example, of batches and examples', async () => {
  const [batch] = await drain(new ToBytes(new DatasetStream(dataset, new SequentialScheme(3, 3))));
  expect(dense(batch, 'x')).toEqual(ndarray('uint8', [3, 4], Uint8Array.of(1, 0, 0, 1, 2, 0, 0, 2, 3, 0, 255, 255)));
  const examples = await drain(new ToBytes(new DatasetStream(dataset, new SequentialExampleScheme(3)), ['x']));
  expect(dense(examples[2], 'x')).toEqual(ndarray('uint8', [4], Uint8Array.of(3, 0, 255, 255)));
  await assertResumable(() => new ToBytes(new DatasetStream(dataset, new SequentialScheme(3, 2))), { epochs: 2 });
});
