import { expect, test } from 'vitest';
import { SequentialScheme } from './sequential-scheme.js';

test('2.3-01, 2.3-09: batches are in order, the last one short, and every epoch is the same', () => {
  const scheme = new SequentialScheme(7, 3);

  for (const epoch of [0, 5]) {
    expect([0, 1, 2, 3].map((position) => scheme.request(epoch, position))).toEqual([
      { start: 0, stop: 3 },
      { start: 3, stop: 6 },
      { start: 6, stop: 7 },
      undefined,
    ]);
  }
  expect(scheme.requestsPerEpoch).toBe(3);
  expect(scheme.requestsExamples).toBe(false);
});

test('2.3-04: listed examples come in the order of the list', () => {
  const scheme = new SequentialScheme([5, 1, 4], 2);

  expect(scheme.request(0, 0)).toEqual(Uint32Array.of(5, 1));
  expect(scheme.request(0, 1)).toEqual(Uint32Array.of(4));
});

test('no examples make no batches', () => {
  expect(new SequentialScheme(0, 3).request(0, 0)).toBeUndefined();
});

test('a batch size or an example that is none is refused', () => {
  expect(() => new SequentialScheme(7, 0)).toThrow(
    'SequentialScheme: batchSize is 0; give a whole number of at least 1',
  );
  expect(() => new SequentialScheme(-1, 2)).toThrow(/examples is -1/);
  expect(() => new SequentialScheme([1, -2], 2)).toThrow(/example -2/);
  expect(() => new SequentialScheme([1.5], 2)).toThrow(/example 1.5/);
});

test('schemes are identical when they give the same requests', () => {
  const identity = (examples: number | number[], size: number): string =>
    JSON.stringify(new SequentialScheme(examples, size).identity());

  expect(identity([1, 2], 2)).toBe(identity([1, 2], 2));
  expect(identity([1, 2], 2)).not.toBe(identity([2, 1], 2));
  expect(identity(2, 2)).not.toBe(identity(2, 1));
});
