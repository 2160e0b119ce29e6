import { ndarray, type DType, type NdArray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { IndexableDataset } from '../datasets/indexable-dataset.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { Cast } from './cast.js';
import { dense } from '../../test/toy.js';

const float = ndarray('float64', [4], Float64Array.of(-1.7, 0, 1.7, 300));
const long = ndarray('int64', [4], BigInt64Array.of(-1n, 0n, 2n ** 40n + 5n, 7n));

test('2.5-10: fractions are cut off, and what does not fit wraps around', async () => {
  expect(values(await cast(float, 'int32'))).toEqual([-1, 0, 1, 300]);
  expect(values(await cast(float, 'uint8'))).toEqual([255, 0, 1, 44]);
  expect(values(await cast(float, 'int64'))).toEqual([-1, 0, 1, 300]);
  expect(values(await cast(float, 'float32'))).toEqual([Math.fround(-1.7), 0, Math.fround(1.7), 300]);
});

test('int64 is cast to floats by value and to shorter whole numbers by its low bits', async () => {
  expect(values(await cast(long, 'float64'))).toEqual([-1, 0, 2 ** 40 + 5, 7]);
  expect(values(await cast(long, 'int32'))).toEqual([-1, 0, 5, 7]);
  expect(values(await cast(long, 'uint32'))).toEqual([2 ** 32 - 1, 0, 5, 7]);
});

test('all but zero is true', async () => {
  expect(values(await cast(float, 'bool'))).toEqual([1, 0, 1, 1]);
  expect(values(await cast(long, 'bool'))).toEqual([1, 0, 1, 1]);
  const half = ndarray('float32', [2], Float32Array.of(0.25, -0));
  expect(values(await cast(half, 'bool'))).toEqual([1, 0]);
});

test('an array of the right type goes through as it is', async () => {
  expect((await cast(float, 'float64'))?.data).toEqual(float.data);
});

test('what is no number has no place in int64', async () => {
  await expect(cast(ndarray('float32', [1], Float32Array.of(NaN)), 'int64')).rejects.toThrow(/x has NaN/);
});

async function cast(array: NdArray, dtype: DType): Promise<NdArray | undefined> {
  const count = array.shape[0] ?? 0;
  const stream = new DatasetStream(new IndexableDataset({ x: array }), new SequentialScheme(count, count));
  const result = dense(await new Cast(stream, { dtype }).next(), 'x');
  expect(result?.dtype).toBe(dtype);
  return result;
}

function values(array: NdArray | undefined): number[] {
  return Array.from(array?.data ?? [], Number);
}
