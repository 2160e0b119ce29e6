import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { range } from './range.js';

test('3-29 a range knows by index what a loop over it gives', () => {
  const bound = fc.integer({ min: -20, max: 20 });
  fc.assert(
    fc.property(bound, bound, bound, (start, stop, step) => {
      fc.pre(step !== 0);
      const numbers = range(start, stop, step);
      const all = [...numbers];

      expect(all).toHaveLength(numbers.length);
      for (let index = -all.length - 1; index <= all.length; index += 1) expect(numbers.at(index)).toBe(all.at(index));
      for (let number = -21; number <= 21; number += 1) {
        expect(numbers.indexOf(number)).toBe(all.indexOf(number));
        expect(numbers.includes(number)).toBe(all.includes(number));
      }
    }),
    { numRuns: 50 },
  );
});

test('3-29 ranges of the same numbers are equal', () => {
  expect(range(0, 3, 2).equals(range(0, 4, 2))).toBe(true);
  expect(range(0).equals(range(5, 1))).toBe(true);
  expect(range(3).equals(range(1, 4))).toBe(false);
  expect(range(1, 2).equals(range(1, 2, 7))).toBe(true);
});

test('3-29 a range says its bounds, and what is no range is refused', () => {
  expect([range(3).toString(), range(1, 9, 2).toString()]).toEqual(['range(0, 3)', 'range(1, 9, 2)']);
  expect(() => range(0, 3, 0)).toThrow('range: start is 0, stop 3 and step 0; give whole numbers');
  expect(() => range(0.5)).toThrow(RangeError);
  expect(() => range(-(2 ** 53 - 1), 2 ** 53 - 1)).toThrow(RangeError);
});
