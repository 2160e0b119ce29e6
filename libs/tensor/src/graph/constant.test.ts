import { expect, test } from 'vitest';

import { cast, constant, gt, pad, setSubtensor, slice, tensor, TensorTypeError, type Constant } from '../index.js';

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

test('a cast truncates what a constant holds', () => {
  expect((cast(constant(-1.5), 'int64') as Constant).toNumber()).toBe(-1);
});

function saying(dtype: string, value: number): string {
  return `constant: ${dtype} cannot hold ${value}; give a number that it can, or another dtype`;
}
