import { expect, test } from 'vitest';

import { withQuotients } from './denormals.js';
import { array, present } from './op-laws.js';

test('of lost quotients those are made good whose divisor has a denormal for its reciprocal, and no others', () => {
  const [dividend, divisor] = [
    [1e38, Infinity, 1, 1, 4, 3e38],
    [3e38, 3e38, 3e38, 2 ** 126, Infinity, 2],
  ];
  const [expected, found, mended] = [
    [1 / 3, Infinity, 3e-39, 2 ** -126, 0, 1.5e38],
    [0, NaN, 1, 0, NaN, 0],
    [1 / 3, Infinity, 1, 0, NaN, 0],
  ].map((values) => array('float32', [6], values));
  const inputs = [dividend, divisor].map((values) => array('float32', [6], values ?? []));
  expect(withQuotients(present(found), present(expected), inputs)).toEqual(mended);
});
