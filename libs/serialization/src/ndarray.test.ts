import { expect, test } from 'vitest';

import { copyOf, type DType, dtypeBytes, isDType, ndarray, uninitialized, sizeOf } from './ndarray.js';

test('without data it is filled with zeros', () => {
  expect(ndarray('int64', [2, 1])).toEqual({ dtype: 'int64', shape: [2, 1], data: new BigInt64Array(2) });
});

test('data is kept, not copied', () => {
  const data = Float32Array.of(1, 2);
  expect(ndarray('float32', [2], data).data).toBe(data);
});

test.each([
  { kind: 'a part of an array', data: Uint8Array.of(1, 2, 3, 4).subarray(1, 3) },
  { kind: 'a Buffer', data: Buffer.from([2, 3]) },
  { kind: 'memory that threads share', data: new Uint8Array(new SharedArrayBuffer(2)) },
])('a copy of $kind has memory of its own', ({ data }) => {
  const copy = copyOf(ndarray('uint8', [2], data));
  expect([copy.dtype, copy.shape, copy.data]).toEqual(['uint8', [2], Uint8Array.from(data)]);
  expect(copy.data.buffer).toBeInstanceOf(ArrayBuffer);
  expect(copy.data.buffer.byteLength).toBe(2);
  data[0] = 9;
  expect(copy.data[0]).not.toBe(9);
});

test('a later change of the shape given does not reach the array', () => {
  const shape = [2];
  const array = ndarray('bool', shape);
  shape[0] = 3;
  expect(array.shape).toEqual([2]);
});

test('data that does not fit the shape is refused with both', () => {
  expect(() => ndarray('float32', [2, 3], new Float32Array(5))).toThrow('shape (2, 3) has 6 elements but data has 5');
});

test('data of another type is refused with both', () => {
  expect(() => ndarray<DType>('float32', [2], new Float64Array(2))).toThrow(
    'float32 needs a Float32Array, but got Float64Array',
  );
});

test('a scalar has one element, an empty dimension none', () => {
  expect(sizeOf([])).toBe(1);
  expect(sizeOf([3, 0, 2])).toBe(0);
});

test.each([[[-1]], [[1.5]], [[Number.NaN]], [[2 ** 40, 2 ** 40]]])('shape %j is refused', (shape) => {
  expect(() => sizeOf(shape)).toThrow(RangeError);
});

test('element sizes are those of NumPy', () => {
  expect([dtypeBytes('float64'), dtypeBytes('int64'), dtypeBytes('uint16'), dtypeBytes('bool')]).toEqual([8, 8, 2, 1]);
});

test('only names of dtypes are dtypes', () => {
  expect(isDType('uint8')).toBe(true);
  expect(isDType('float16')).toBe(false);
  expect(isDType('constructor')).toBe(false);
});

test('memory that is not zeroed first is an array like any other', () => {
  const array = uninitialized('float64', [3, 2]);
  array.data.fill(0.5);

  expect(array).toEqual(ndarray('float64', [3, 2], new Float64Array(6).fill(0.5)));
  expect(uninitialized('int64', [0, 4])).toEqual(ndarray('int64', [0, 4]));
  expect(uninitialized('uint8', []).data.buffer.byteLength).toBe(1);
  expect(() => uninitialized('uint8', [-1])).toThrow(RangeError);
});
