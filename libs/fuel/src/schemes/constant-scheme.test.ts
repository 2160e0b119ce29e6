import { expect, test } from 'vitest';
import { ConstantScheme } from './constant-scheme.js';

const sizes = (scheme: ConstantScheme): (number | undefined)[] =>
  [0, 1, 2, 3].map((position) => scheme.batchSize(position));

test('without an end, sizes go on', () => {
  expect(sizes(new ConstantScheme(4))).toEqual([4, 4, 4, 4]);
  expect(new ConstantScheme(4).batchesPerEpoch).toBeNull();
});

test('2.3-03, 2.3-08: so many times', () => {
  expect(sizes(new ConstantScheme(4, { times: 2 }))).toEqual([4, 4, undefined, undefined]);
});

test('so many examples, the last batch short', () => {
  expect(sizes(new ConstantScheme(4, { examplesCount: 10 }))).toEqual([4, 4, 2, undefined]);
  expect(new ConstantScheme(4, { examplesCount: 10 }).batchesPerEpoch).toBe(3);
  expect(sizes(new ConstantScheme(4, { examplesCount: 8 }))).toEqual([4, 4, undefined, undefined]);
});

test('both are one too many', () => {
  expect(() => new ConstantScheme(4, { examplesCount: 8, times: 2 })).toThrow(/give one of them, or neither/);
});
