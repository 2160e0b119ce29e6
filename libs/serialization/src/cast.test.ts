import { expect, test } from 'vitest';

import { cast, keepsValues } from './cast.js';
import { type DType, isDType, type NdArray, ndarray } from './ndarray.js';

/** The least and the greatest value of each type, and those that are hardest to hold. */
const EDGES: { readonly [D in DType]: NdArray<D> } = {
  bool: ndarray('bool', [2], Uint8Array.of(0, 1)),
  uint8: ndarray('uint8', [2], Uint8Array.of(0, 2 ** 8 - 1)),
  int8: ndarray('int8', [3], Int8Array.of(-(2 ** 7), -1, 2 ** 7 - 1)),
  uint16: ndarray('uint16', [2], Uint16Array.of(0, 2 ** 16 - 1)),
  int16: ndarray('int16', [3], Int16Array.of(-(2 ** 15), -1, 2 ** 15 - 1)),
  uint32: ndarray('uint32', [2], Uint32Array.of(2 ** 24 + 1, 2 ** 32 - 1)),
  int32: ndarray('int32', [3], Int32Array.of(-(2 ** 31), 2 ** 24 + 1, 2 ** 31 - 1)),
  int64: ndarray('int64', [3], BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n, 2n ** 63n - 1n)),
  float32: ndarray('float32', [3], Float32Array.of(1.5, 2 ** -149, 2 ** 127)),
  float64: ndarray('float64', [3], Float64Array.of(0.1, 2 ** -1074, 2 ** 1023)),
};
const DTYPES = Object.keys(EDGES).filter(isDType);

test.each(DTYPES)('%s keeps its values in just those types that give all of its edges back', (from) => {
  const edges = EDGES[from];

  expect(DTYPES.filter((to) => keepsValues(from, to))).toEqual(DTYPES.filter((to) => isKept(edges, to)));
});

test('an array of the type is itself, another keeps its shape', () => {
  const matrix = ndarray('int16', [2, 1], Int16Array.of(-3, 400));

  expect(cast(matrix, 'int16')).toBe(matrix);
  expect(cast(matrix, 'float32')).toEqual(ndarray('float32', [2, 1], Float32Array.of(-3, 400)));
  expect(cast(matrix, 'uint8').data).toEqual(Uint8Array.of(253, 144));
});

test('what int64 cannot hold is refused by the name of the array', () => {
  const infinite = ndarray('float32', [1], Float32Array.of(Number.POSITIVE_INFINITY));

  expect(() => cast(infinite, 'int64', 'w')).toThrow('w has Infinity, which int64 cannot hold');
});

/** Whether the values are the same in another type, and come back. */
function isKept(edges: NdArray, to: DType): boolean {
  const whole = edges.dtype !== 'float32' && edges.dtype !== 'float64';
  const there = to === 'int64' && !whole ? undefined : cast(edges, to);
  return there !== undefined && edges.data.every((value, i) => sameNumber(value, there.data[i]));
}

function sameNumber(a: number | bigint, b: number | bigint | undefined): boolean {
  // oxlint-disable-next-line eqeqeq -- compares a bigint and a number by value
  return a == b;
}
