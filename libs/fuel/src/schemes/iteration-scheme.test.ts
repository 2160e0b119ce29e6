import { expect, test } from 'vitest';
import { exampleAt, examplesOf } from './iteration-scheme.js';

test.each([
  ['counted', examplesOf('Scheme', 3), [0, 1, 2]],
  ['listed', examplesOf('Scheme', [7, 30, 2]), [7, 30, 2]],
])('of %s examples each has its index, and no other index has one', (_what, examples, expected) => {
  expect([0, 1, 2].map((index) => exampleAt(examples, index))).toEqual(expected);
  for (const index of [-1, 3, 0.5, Number.NaN]) expect(() => exampleAt(examples, index)).toThrow(RangeError);
});
