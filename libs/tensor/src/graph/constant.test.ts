import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import {
  cast,
  Constant,
  constant,
  gt,
  pad,
  setSubtensor,
  shared,
  slice,
  tensor,
  TensorTypeError,
  Variable,
} from '../index.js';

test('1.T-18, 1.T-20, 1.T-85: a number, a bool or an array becomes a variable whose value is part of the graph', () => {
  const rows = ndarray('int64', [1, 2], BigInt64Array.of(3n, 4n));
  const made = [constant(0.1), constant(2, 'int8'), constant(true), constant(rows)];
  expect(made.every((one) => one instanceof Constant && one instanceof Variable && one.owner === null)).toBe(true);
  expect(made.map(({ type }) => type)).toEqual([
    { dtype: 'float32', shape: [] },
    { dtype: 'int8', shape: [] },
    { dtype: 'bool', shape: [] },
    { dtype: 'int64', shape: [1, 2] },
  ]);
  expect(made.map((one) => one.toNumber())).toEqual([Math.fround(0.1), 2, 1, 3]);
  expect(made.at(-1)?.value).toBe(rows);
});

test.each([
  ['uint8', 300],
  ['uint8', -1],
  ['int8', 128],
  ['int64', 2 ** 63],
  ['int64', 1.5],
  ['int32', Number.NaN],
  ['int64', -Infinity],
] as const)('%s cannot hold %d', (dtype, value) => {
  expect(() => constant(value, dtype)).toThrow(new TensorTypeError(saying(dtype, value)));
});

test.each([
  ['uint8', 255],
  ['int8', -128],
  ['int64', -(2 ** 63)],
  ['int32', -0],
  ['float32', 0.1],
  ['bool', 2],
] as const)('%s holds %d', (dtype, value) => {
  expect(constant(value, dtype).dtype).toBe(dtype);
});

test('a number that the dtype beside it cannot hold is refused wherever one may stand', () => {
  const [bytes, integers] = [tensor('bytes', 'uint8', [3]), tensor('integers', 'int64', [3])];
  expect(() => gt(bytes, 300)).toThrow(saying('uint8', 300));
  expect(() => pad(integers, 1, { value: 1.5 })).toThrow(saying('int64', 1.5));
  expect(() => setSubtensor(bytes, -1, { stop: 1 })).toThrow(saying('uint8', -1));
  expect(() => slice(integers, 1e300, null)).toThrow(saying('int64', 1e300));
});

test('lists of numbers are arrays, of booleans bools', () => {
  expect(
    constant([
      [1, 2, 3],
      [4, 5, 6],
    ]).value,
  ).toEqual(ndarray('float32', [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)));
  expect(constant([1, 2], 'int64').value).toEqual(ndarray('int64', [2], BigInt64Array.of(1n, 2n)));
  expect(constant([[true], [false]]).value).toEqual(ndarray('bool', [2, 1], Uint8Array.of(1, 0)));
  expect(constant([[], []]).value).toEqual(ndarray('float32', [2, 0]));
  expect(shared([1, 2], 'b').shape).toEqual([2]);
});

test.each([
  [[[1, 2], [3]], 'cannot make an array of [ 3 ] where a list of 2 is wanted'],
  [[1, [2]], 'cannot make an array of [ 2 ] where a number is wanted'],
  [[[1], 2], 'cannot make an array of 2 where a list of 1 is wanted'],
  ['1', "cannot make an array of '1' where a number is wanted"],
  [null, 'cannot make an array of null where a number is wanted'],
  [[[1], Number.NaN], 'cannot make an array of NaN where a list of 1 is wanted'],
  [1n, 'cannot make an array of 1n where a number is wanted'],
  [new Float32Array(1e6), 'cannot make an array of Float32Array(1000000) [ 0, 0, 0, ... 999997 more items ] where'],
  [tensor('x', 'float32', []), 'cannot make an array of x: float32 () where a number is wanted'],
  [withinItself(), 'there are lists in more than 32 others; give fewer levels of them'],
])('what is no array is refused: %#', (value, reason) => {
  for (const make of [constant, shared]) expect(() => make(value as unknown as number)).toThrow(reason);
});

test('no number is wrapped, in a list or in a shared variable', () => {
  expect(() => constant([1, 300], 'uint8')).toThrow(saying('uint8', 300));
  expect(() => shared(1.5, 'n', { dtype: 'int32' })).toThrow('shared: int32 cannot hold 1.5');
});

test('an array keeps its dtype: another is refused', () => {
  const array = ndarray('float32', [1]);
  expect(() => constant(array, 'float64')).toThrow('constant: the array is float32, not float64; leave the dtype out');
  expect(() => shared(array, 'w', { dtype: 'float64' })).toThrow('shared: the array is float32, not float64');
  expect(constant(array, 'float32').value).toBe(array);
});

test('a cast truncates what a constant holds', () => {
  expect((cast(constant(-1.5), 'int64') as Constant).toNumber()).toBe(-1);
});

function withinItself(): unknown[] {
  const list: unknown[] = [];
  list.push(list);
  return list;
}

function saying(dtype: string, value: number): string {
  return `constant: ${dtype} cannot hold ${value}; give a number that it can, or another dtype`;
}
