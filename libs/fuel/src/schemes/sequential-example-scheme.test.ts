import { expect, test } from 'vitest';
import { SequentialExampleScheme } from './sequential-example-scheme.js';

test('2.3-11: examples come one after the other', () => {
  const scheme = new SequentialExampleScheme(2);

  expect([0, 1, 2].map((position) => scheme.request(3, position))).toEqual([0, 1, undefined]);
  expect(scheme.requestsExamples).toBe(true);
  expect(scheme.requestsPerEpoch).toBe(2);
});

test('2.3-07: listed examples come in the order of the list', () => {
  const scheme = new SequentialExampleScheme([9, 4]);

  expect([0, 1, 2].map((position) => scheme.request(0, position))).toEqual([9, 4, undefined]);
});
