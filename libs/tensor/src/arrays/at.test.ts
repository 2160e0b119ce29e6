import { expect, test } from 'vitest';

import { at } from './at.js';

test('an entry is found from either end, null and 0 included', () => {
  expect(at([1, 2, 0], -1)).toBe(0);
  expect(at([null, 2], 0)).toBeNull();
  expect(at(Float64Array.of(1, Number.NaN), 1)).toBeNaN();
});

test('an entry that does not exist is an error, not a value', () => {
  expect(() => at([1, 2, 3], 3)).toThrow('There is no entry 3 in a list of 3');
  expect(() => at([1, 2, 3], -4)).toThrow('There is no entry -4 in a list of 3');
  expect(() => at([], 0)).toThrow(RangeError);
});
