import { expect, test } from 'vitest';

import {
  imatrix,
  iscalar,
  ivector,
  lmatrix,
  lvector,
  matrix,
  scalar,
  tensor,
  TensorTypeError,
  vector,
} from '../index.js';

test('1.T-79, 1.T-80: vectors and matrices have sizes that only the data tell, and are float32 unless told otherwise', () => {
  expect([scalar('x'), vector('x'), matrix('x')].map(({ type }) => type)).toEqual([
    { dtype: 'float32', shape: [] },
    { dtype: 'float32', shape: [null] },
    { dtype: 'float32', shape: [null, null] },
  ]);
  expect([scalar('x', 'bool'), vector('x', 'uint8'), matrix('x', 'float64')].map(({ dtype }) => dtype)).toEqual([
    'bool',
    'uint8',
    'float64',
  ]);
  expect(matrix('features').name).toBe('features');
});

test('1.T-83, 1.T-84, 1.T-89: a letter in front says the width of the integers, as in Theano', () => {
  expect([iscalar('n'), ivector('n'), imatrix('n')].map(({ dtype, ndim }) => [dtype, ndim])).toEqual([
    ['int32', 0],
    ['int32', 1],
    ['int32', 2],
  ]);
  expect([lvector('n'), lmatrix('n')].map(({ dtype, ndim }) => [dtype, ndim])).toEqual([
    ['int64', 1],
    ['int64', 2],
  ]);
});

test('1.T-81, 1.T-82: a tensor has any number of axes, whose sizes are known, named or unknown', () => {
  expect(tensor('x', 'float32', ['batch', null, 3]).type).toEqual({ dtype: 'float32', shape: ['batch', null, 3] });
  expect(tensor('x', 'uint8', ['batch', 3, 28, 28]).shape).toEqual(['batch', 3, 28, 28]);
  expect(() => tensor('x', 'float32', [2, -1])).toThrow(TensorTypeError);
});
