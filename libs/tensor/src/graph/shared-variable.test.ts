import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import { scalar, shared, sharedLike, SharedVariable, tensor } from '../index.js';
import { array } from '../../test/op-laws.js';

test('1.T-86: a shared variable keeps copies of what it is given', async () => {
  const first = array('float32', [2], [1, 2]);
  const W = shared(first, 'W');
  first.data[0] = 9;
  expect(Array.from((await W.getValue()).data, Number)).toEqual([1, 2]);
  const second = array('float32', [2], [3, 4]);
  W.setValue(second);
  second.data[0] = 9;
  expect(Array.from((await W.getValue()).data, Number)).toEqual([3, 4]);
});

test('1.T-01, 1.18-22: a number makes a scalar, float32 unless told otherwise', async () => {
  expect(shared(0.5, 'time').type).toEqual({ dtype: 'float32', shape: [] });
  expect((await shared(3, 'count', { dtype: 'int64' }).getValue()).data).toEqual(BigInt64Array.of(3n));
});

test('1.18-26: only what shared() makes is a shared variable', () => {
  expect([shared(1), sharedLike(scalar('x')), scalar('x')].map((one) => one instanceof SharedVariable)).toEqual([
    true,
    true,
    false,
  ]);
});

test('a value of another dtype or shape is refused with both types', () => {
  const W = shared(ndarray('float32', [2, 3]), 'W');
  expect(() => W.setValue(ndarray('float32', [3, 2]))).toThrow(
    'Shared variable `W` float32 (2, 3) cannot hold a value of float32 (3, 2); give a value of shape (2, 3)',
  );
  expect(() => W.setValue(ndarray('float64', [2, 3]))).toThrow('convert the value to float32 first');
});

test('sizes left unknown may change from value to value', () => {
  const total = shared(ndarray('float32', [2, 3]), 'total', { shape: [null, 3] });
  total.setValue(ndarray('float32', [5, 3]));
  expect(total.valueType).toEqual({ dtype: 'float32', shape: [5, 3] });
  expect(() => total.setValue(ndarray('float32', [5, 4]))).toThrow('`total` float32 (null, 3) cannot hold');
  expect(() => shared(ndarray('float32', [2, 3]), 'W', { shape: [3, 3] })).toThrow(
    'cannot hold a value of float32 (2, 3)',
  );
});

test('1.18-23: a variable like another holds its values, of which there are none yet along unknown sizes', async () => {
  const held = sharedLike(tensor('x', 'float64', [null, 2]));
  expect(held.toString()).toBe('shared_x');
  expect(held.type).toEqual({ dtype: 'float64', shape: [null, 2] });
  expect((await held.getValue()).shape).toEqual([0, 2]);
  held.setValue(ndarray('float64', [3, 2]));
  expect(held.valueType).toEqual({ dtype: 'float64', shape: [3, 2] });
  expect((await sharedLike(tensor('n', 'int64', [2]), 'counts').getValue()).data).toEqual(BigInt64Array.of(0n, 0n));
});
