import { expect, test } from 'vitest';

import { formatType, promote } from '../index.js';
import { broadcastDims, commonShape, isAssignable } from './tensor-type.js';

test('shapes print as tuples', () => {
  expect(formatType({ dtype: 'float32', shape: [null, 784] })).toBe('float32 (null, 784)');
  expect(formatType({ dtype: 'int64', shape: [3] })).toBe('int64 (3,)');
  expect(formatType({ dtype: 'bool', shape: [] })).toBe('bool ()');
});

test.each([
  ['float32', 'float64', 'float64'],
  ['float32', 'int64', 'float32'],
  ['float64', 'bool', 'float64'],
  ['int8', 'uint8', 'int16'],
  ['int16', 'uint8', 'int16'],
  ['uint16', 'int16', 'int32'],
  ['uint32', 'int8', 'int64'],
  ['uint8', 'uint32', 'uint32'],
  ['int32', 'int64', 'int64'],
  ['bool', 'int8', 'int8'],
] as const)('%s with %s is %s, in either order', (first, second, result) => {
  expect(promote(first, second)).toBe(result);
  expect(promote(second, first)).toBe(result);
});

test('only a static 1 broadcasts; an unknown size takes the size it meets', () => {
  expect(broadcastDims([[null, 3], [3]])).toEqual([null, 3]);
  expect(broadcastDims([[null], [5]])).toEqual([5]);
  expect(broadcastDims([[null, 1], [1, null], []])).toEqual([null, null]);
  expect(broadcastDims([[2], [3]])).toBeUndefined();
  expect(broadcastDims([[0], [1]])).toEqual([0]);
});

test('neither does a name broadcast: it gives way to a number, and null to it', () => {
  expect(broadcastDims([['batch', 1], [null, 'time'], [3]])).toEqual(['batch', 3]);
  expect(broadcastDims([[1, 'batch'], ['batch']])).toEqual([1, 'batch']);
  expect(commonShape([null, 'batch', 'batch', 5, null], ['batch', 'examples', 5, 'batch', null])).toEqual([
    'batch',
    'batch',
    5,
    5,
    null,
  ]);
  expect(commonShape(['batch', 5], ['batch', 4])).toBeUndefined();
  expect(commonShape(['batch'], ['batch', 4])).toBeUndefined();
});

test('a type is assignable to one that knows less', () => {
  expect(isAssignable({ dtype: 'float32', shape: [2, 3] }, { dtype: 'float32', shape: [null, 3] })).toBe(true);
  expect(isAssignable({ dtype: 'float32', shape: [null, 3] }, { dtype: 'float32', shape: [2, 3] })).toBe(false);
  expect(isAssignable({ dtype: 'float64', shape: [2] }, { dtype: 'float32', shape: [2] })).toBe(false);
});
