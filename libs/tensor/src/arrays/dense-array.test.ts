import { DTYPES, ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import { fromDense, toDense } from './dense-array.js';
import { typedArray } from './typed-array.js';

test.each(DTYPES)('an array of %s is copied into float64 and back', (dtype) => {
  const value = ndarray(dtype, [3], typedArray(dtype, [0, 1, 1]));
  const copy = toDense(value);
  expect(copy).toEqual({ dtype, shape: [3], data: Float64Array.of(0, 1, 1) });
  expect(fromDense(copy)).toEqual(value);
  copy.data.fill(7);
  expect(value.data).toEqual(typedArray(dtype, [0, 1, 1]));
});
