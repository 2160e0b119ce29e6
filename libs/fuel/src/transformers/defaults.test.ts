import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { IndexableDataset } from '../datasets/indexable-dataset.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { uint8PixelsToFloat } from './defaults.js';
import { dense } from '../../test/toy.js';

test('2.5-23: pixels from 0 to 255 become float32 from 0 to 1; other sources stay', async () => {
  const dataset = new IndexableDataset(
    { pixels: ndarray('uint8', [1, 3], Uint8Array.of(0, 51, 255)), targets: ndarray('uint8', [1], Uint8Array.of(9)) },
    { defaultTransformers: uint8PixelsToFloat(['pixels']) },
  );

  const batch = await DatasetStream.defaultStream(dataset, new SequentialScheme(1, 1)).next();

  expect(dense(batch, 'pixels')).toEqual(ndarray('float32', [1, 3], Float32Array.of(0, 0.2, 1)));
  expect(dense(batch, 'targets')).toEqual(ndarray('uint8', [1], Uint8Array.of(9)));
});
