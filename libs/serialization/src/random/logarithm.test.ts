import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { logarithm } from './logarithm.js';
import { RandomState } from './random-state.js';

test('logarithms are rounded correctly, as those of Python to 50 decimal places', () => {
  const golden = JSON.parse(readFileSync(new URL('../../test/goldens/random-state.json', import.meta.url), 'utf8')) as {
    readonly logarithms: string;
  };
  const count = 20_000;
  const uniform = new RandomState(7).randomSample(2 * count);
  const numbers = [
    ...uniform.subarray(0, count),
    ...uniform.subarray(count).map((u) => 1 - u * 2 ** -12),
    ...uniform.subarray(0, 100).map((u) => u * 2 ** -90),
  ];
  const logarithms = Float64Array.from(numbers, logarithm);
  expect(createHash('sha256').update(logarithms).digest('hex')).toBe(golden.logarithms);
});

test('every number has the logarithm that Math.log gives, within two units in the last place', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, noNaN: true }), (x) => {
      const expected = Math.log(x);
      const error = Math.abs(logarithm(x) - expected);
      expect(logarithm(x) === expected || error <= Math.abs(expected) * 2 ** -51).toBe(true);
    }),
    { seed: 1 },
  );
  expect([1, 0, Infinity, -1, 2 ** -1074, 1 - 2 ** -53].map(logarithm)).toEqual([
    0,
    -Infinity,
    Infinity,
    Number.NaN,
    -744.4400719213812,
    -1.1102230246251565e-16,
  ]);
});
