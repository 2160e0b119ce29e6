import { expect, test } from 'vitest';

import { array } from '../../test/op-laws.js';
import { formatArray } from './format-array.js';

test('arrays print as nested lists', () => {
  expect(formatArray(array('float32', [], [NaN]))).toBe('NaN');
  expect(formatArray(array('int64', [2, 3], [1, 2, 3, 4, 5, 6]))).toBe('[[1, 2, 3], [4, 5, 6]]');
  expect(formatArray(array('float64', [0, 3], []))).toBe('[]');
  expect(formatArray(array('bool', [2], [1, 0]))).toBe('[1, 0]');
});

test('large arrays print their edges', () => {
  const values = Array.from({ length: 1400 }, (_, index) => index);
  expect(formatArray(array('int32', [2, 700], values))).toBe(
    '[[0, 1, 2, ..., 697, 698, 699], [700, 701, 702, ..., 1397, 1398, 1399]]',
  );
});
