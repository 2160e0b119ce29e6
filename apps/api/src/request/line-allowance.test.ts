import { expect, test } from 'vitest';
import { LineAllowance } from './line-allowance.js';

test('so many lines are written at once, then so many a second, and the next one counts those that were left out', () => {
  let now = 0;
  const allowance = new LineAllowance({ atOnce: 3, perSecond: 1, now: () => now });
  const take = (count: number): (number | undefined)[] =>
    Array.from({ length: count }, () => allowance.take()?.leftOut);
  expect(take(5)).toEqual([0, 0, 0, undefined, undefined]);
  now = 500;
  expect(take(1)).toEqual([undefined]);
  now = 1_000;
  expect(take(2)).toEqual([3, undefined]);
  now = 1e9;
  expect(take(4)).toEqual([1, 0, 0, undefined]);
});
