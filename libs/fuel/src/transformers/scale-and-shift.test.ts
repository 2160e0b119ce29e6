import { createHash } from 'node:crypto';
import { ndarray, type NdArray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { bytesOf } from '../arrays/rows.js';
import { IndexableDataset } from '../datasets/indexable-dataset.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { ScaleAndShift, type ScaleAndShiftOptions } from './scale-and-shift.js';
import { dense } from '../../test/toy.js';

test('2.5-06, 2.5-07: every byte is scaled and shifted in float64, then rounded once', async () => {
  const bytes = ndarray(
    'uint8',
    [259, 1],
    Uint8Array.from({ length: 259 }, (_, i) => i),
  );
  const scaled = Array.from({ length: 259 }, (_, i) => (i % 256) * (1 / 255) + 0.1);

  const float32 = await apply(bytes, { scale: 1 / 255, shift: 0.1, dtype: 'float32' });
  const float64 = await apply(bytes, { scale: 1 / 255, shift: 0.1 });

  expect(float32).toEqual(ndarray('float32', [259, 1], Float32Array.from(scaled)));
  expect(float64).toEqual(ndarray('float64', [259, 1], Float64Array.from(scaled)));
});

test('a float source keeps its type, another whole number becomes float64', async () => {
  const float = ndarray('float32', [3], Float32Array.of(-1.5, 0, 2));
  const whole = ndarray('int16', [2], Int16Array.of(-300, 300));

  expect(await apply(float, { scale: 2, shift: 1 })).toEqual(ndarray('float32', [3], Float32Array.of(-2, 1, 5)));
  expect(await apply(whole, { scale: 0.5, shift: 0 })).toEqual(ndarray('float64', [2], Float64Array.of(-150, 150)));
  expect(await apply(whole, { scale: 0.5, shift: 0, dtype: 'float32' })).toEqual(
    ndarray('float32', [2], Float32Array.of(-150, 150)),
  );
});

test('2.5-09: float32 is scaled in float32, product and sum rounded each, as NumPy does', async () => {
  const sevenths = ndarray(
    'float32',
    [2000],
    Float32Array.from({ length: 2000 }, (_, i) => i / 7),
  );

  const scaled = await apply(sevenths, { scale: 1 / 3, shift: 0.1 });
  const wider = await apply(sevenths, { scale: 1 / 3, shift: 0.1, dtype: 'float64' });

  // Of numpy.arange(2000, dtype='float32') / numpy.float32(7) * (1 / 3) + 0.1, of which 17.9 % are others when they are rounded once.
  const digest = createHash('sha256').update(bytesOf(scaled)).digest('hex');
  expect(digest).toBe('8708071dccc6f8ebca38c26056987004a28f83d43254c19d565b76b3d80eb213');
  expect(wider).toEqual(ndarray('float64', [2000], Float64Array.from(scaled.data, Number)));
});

test('the array below is left as it was', async () => {
  const float = ndarray('float32', [2], Float32Array.of(1, 2));
  await apply(float, { scale: 2, shift: 1 });

  expect(float.data).toEqual(Float32Array.of(1, 2));
});

test('int64 is refused, as it may not fit', async () => {
  await expect(apply(ndarray('int64', [1]), { scale: 2, shift: 0 })).rejects.toThrow(/x is int64; cast it/);
});

async function apply(array: NdArray, options: ScaleAndShiftOptions): Promise<NdArray> {
  const count = array.shape[0] ?? 0;
  const stream = new DatasetStream(new IndexableDataset({ x: array }), new SequentialScheme(count, count));
  return dense(await new ScaleAndShift(stream, options).next(), 'x');
}
