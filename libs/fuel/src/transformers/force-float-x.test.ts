import { assertResumable, ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { dense } from '../../test/toy.js';
import { IndexableDataset } from '../datasets/indexable-dataset.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { ForceFloatX, type ForceFloatXOptions } from './force-float-x.js';

const stream = (options?: ForceFloatXOptions) => {
  const dataset = new IndexableDataset({
    single: ndarray('float32', [2], Float32Array.of(0.5, 0.1)),
    double: ndarray('float64', [2], Float64Array.of(0.5, 0.1)),
    whole: ndarray('int32', [2], Int32Array.of(1, 2)),
  });
  return new ForceFloatX(new DatasetStream(dataset, new SequentialScheme(2, 1)), options);
};

test('2.5-11: floating-point sources become floatX, others stay', async () => {
  const dtypes = async (options?: ForceFloatXOptions) => {
    const batch = await stream(options).next();
    return ['single', 'double', 'whole'].map((source) => dense(batch, source).dtype);
  };

  expect(await dtypes()).toEqual(['float32', 'float32', 'int32']);
  expect(await dtypes({ floatX: 'float64' })).toEqual(['float64', 'float64', 'int32']);
  expect(await dtypes({ whichSources: ['single'] })).toEqual(['float32', 'float64', 'int32']);
  await assertResumable(() => stream());
});
