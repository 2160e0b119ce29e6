import { expect, test } from 'vitest';
import { ConcatenatedScheme } from './concatenated-scheme.js';
import { SequentialExampleScheme } from './sequential-example-scheme.js';
import { SequentialScheme } from './sequential-scheme.js';

test('2.3-05: one scheme comes after the other', () => {
  const scheme = new ConcatenatedScheme([new SequentialScheme(3, 2), new SequentialScheme([9], 2)]);

  expect([0, 1, 2, 3].map((position) => scheme.request(0, position))).toEqual([
    { start: 0, stop: 2 },
    { start: 2, stop: 3 },
    Uint32Array.of(9),
    undefined,
  ]);
  expect(scheme.requestsPerEpoch).toBe(3);
});

test('2.3-06: schemes of two kinds, or none, are refused', () => {
  expect(() => new ConcatenatedScheme([new SequentialScheme(3, 2), new SequentialExampleScheme(3)])).toThrow(
    /one kind/,
  );
  expect(() => new ConcatenatedScheme([])).toThrow(/at least one/);
});
