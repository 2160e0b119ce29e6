import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { StateMismatch, type VersionedState } from '../state.js';
import { RandomStreams } from './random-streams.js';
import type { RandomStream } from './random-stream.js';

type Draw = 'uint32' | 'uniform' | 'normal' | 'integer' | 'wide' | 'shuffle' | 'permutation';

const draws = fc.array(
  fc.constantFrom<Draw>('uint32', 'uniform', 'normal', 'integer', 'wide', 'shuffle', 'permutation'),
  { maxLength: 60 },
);

test('resuming at any cut, through JSON, equals no cut', () => {
  fc.assert(
    fc.property(fc.nat(), draws, draws, (seed, before, after) => {
      const undisturbed = new RandomStreams(seed).stream('s');
      take(undisturbed, before);
      const saved: VersionedState = JSON.parse(JSON.stringify(undisturbed.state()));
      const expected = take(undisturbed, after);

      const resumed = new RandomStreams(seed).stream('s');
      take(resumed, after);
      resumed.restore(saved);
      expect(take(resumed, after)).toEqual(expected);
      resumed.restore(saved);
      expect(resumed.state()).toEqual(saved);
      expect(take(resumed, after)).toEqual(expected);
    }),
  );
});

test('the numbers of a seed and name never change', () => {
  // Checkpoints of today are resumed by builds of tomorrow. Recomputed by test/goldens/random-stream.py.
  const stream = new RandomStreams(1).stream('shuffle');
  expect([stream.uint32(), stream.uint32(), stream.uint32(), stream.uint32(), stream.uint32()]).toEqual([
    902075951, 173361061, 3693660904, 4219579211, 1915060935,
  ]);
  expect([...new RandomStreams(1).stream('shuffle').fork(3).permutation(8)]).toEqual([7, 1, 6, 3, 2, 0, 5, 4]);
  expect(new RandomStreams(1).stream('shuffle').uniform()).toBe(0.21003092110428034);
});

test('streams of other seeds, names and forks are other streams', () => {
  const root = new RandomStreams(1).stream('a');
  const streams = [
    root,
    new RandomStreams(2).stream('a'),
    new RandomStreams(1).stream('b'),
    root.fork(1),
    root.fork('1'),
    root.fork(2),
    root.fork(1).fork(2),
    root.fork(2).fork(1),
    new RandomStreams(1).stream('a/1'),
    new RandomStreams(1).stream('b').fork(1),
  ];
  const heads = streams.map((stream) => [stream.uint32(), stream.uint32()].join());
  expect(new Set(heads).size).toBe(streams.length);
});

test('a fork does not depend on how far its parent has come, and does not move it', () => {
  fc.assert(
    fc.property(draws, fc.oneof(fc.integer(), fc.string()), (before, label) => {
      const parent = new RandomStreams(7).stream('p');
      const early = take(parent.fork(label), ['uniform', 'normal']);
      take(parent, before);
      const saved = parent.state();
      expect(take(parent.fork(label), ['uniform', 'normal'])).toEqual(early);
      expect(parent.state()).toEqual(saved);
    }),
  );
});

test('forks and their parent are uncorrelated', () => {
  const parent = new RandomStreams(3).stream('p');
  const streams = [parent, ...Array.from({ length: 7 }, (_, label) => parent.fork(label))];
  const samples = streams.map((stream) => Array.from({ length: 4096 }, () => stream.uniform() - 0.5));
  for (const [i, a] of samples.entries()) {
    for (const b of samples.slice(0, i)) {
      const covariance = a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0) / a.length;
      // Its standard deviation is 1/12/64; five of them.
      expect(Math.abs(covariance)).toBeLessThan((5 * (1 / 12)) / 64);
    }
  }
});

test('uniform numbers lie in [0, 1) and fill it evenly', () => {
  const stream = new RandomStreams(11).stream('u');
  const counts = Array.from({ length: 20 }, () => 0);
  const total = 100_000;
  let outside = 0;
  for (let index = 0; index < total; index += 1) {
    const value = stream.uniform();
    if (value < 0 || value >= 1) outside += 1;
    const bin = Math.floor(value * 20);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  expect(outside).toBe(0);
  expect(chiSquare(counts, total)).toBeLessThan(CHI_SQUARE_19_AT_1E_6);
});

test('normal numbers have the moments and tails of the normal distribution', () => {
  const stream = new RandomStreams(12).stream('n');
  const total = 200_000;
  const sums = [0, 0, 0, 0];
  let beyondTwo = 0;
  for (let index = 0; index < total; index += 1) {
    const value = stream.normal();
    for (const power of [1, 2, 3, 4]) sums[power - 1] = (sums[power - 1] ?? 0) + value ** power;
    if (Math.abs(value) > 2) beyondTwo += 1;
  }
  const [mean = 0, variance = 0, skewness = 0, kurtosis = 0] = sums.map((sum) => sum / total);
  expect(Math.abs(mean)).toBeLessThan(0.012);
  expect(Math.abs(variance - 1)).toBeLessThan(0.016);
  expect(Math.abs(skewness)).toBeLessThan(0.045);
  expect(Math.abs(kurtosis - 3)).toBeLessThan(0.12);
  expect(Math.abs(beyondTwo / total - 0.0455)).toBeLessThan(0.0025);
});

test('integers are unbiased, where a mere remainder would be off by half', () => {
  const stream = new RandomStreams(13).stream('i');
  // 2^32 is 1.5 times this bound: without drawing again, the lower half would come up twice as often.
  const bound = (2 ** 32 / 3) * 2;
  const halfway = Math.floor(bound / 2);
  const total = 20_000;
  let low = 0;
  for (let index = 0; index < total; index += 1) if (stream.integer(Math.floor(bound)) < halfway) low += 1;
  expect(Math.abs(low / total - 0.5)).toBeLessThan(5 * (0.5 / Math.sqrt(total)));
});

test('integers stay below any bound up to 2^53', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 53 - 1 }), fc.nat(), (bound, seed) => {
      const value = new RandomStreams(seed).stream('i').integer(bound);
      expect(Number.isSafeInteger(value) && value >= 0 && value < bound).toBe(true);
    }),
  );
  const stream = new RandomStreams(1).stream('i');
  expect(stream.integer(1)).toBe(0);
  expect(Array.from({ length: 50 }, () => stream.integer(2 ** 53)).some((value) => value > 2 ** 32)).toBe(true);
});

test.each([0, -1, 1.5, Number.NaN, 2 ** 54])('integer refuses the bound %s', (bound) => {
  expect(() => new RandomStreams(1).stream('i').integer(bound)).toThrow(RangeError);
});

test('a permutation is a bijection', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat({ max: 500 }), (seed, count) => {
      const permutation = new RandomStreams(seed).stream('p').permutation(count);
      expect([...permutation].toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
    }),
  );
});

test('every order of a shuffle is equally likely', () => {
  const stream = new RandomStreams(14).stream('s');
  const counts = new Map<string, number>();
  const total = 24_000;
  for (let index = 0; index < total; index += 1) {
    const items = ['a', 'b', 'c', 'd'];
    stream.shuffle(items);
    counts.set(items.join(''), (counts.get(items.join('')) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  expect(chiSquare([...counts.values()], total)).toBeLessThan(CHI_SQUARE_23_AT_1E_6);
});

test('the state of another stream, or of no stream, is refused and changes nothing', () => {
  const stream = new RandomStreams(1).stream('a');
  take(stream, ['uniform', 'normal']);
  const saved = stream.state();
  for (const wrong of [
    new RandomStreams(1).stream('b').state(),
    new RandomStreams(2).stream('a').state(),
    { ...saved, drawn: -1 },
    { ...saved, drawn: 0.5 },
    { ...saved, spareNormal: 'x' },
    { ...saved, version: 3 },
  ]) {
    expect(() => stream.restore(wrong)).toThrow(StateMismatch);
    expect(stream.state()).toEqual(saved);
  }
});

// Values that a true chi-square variable exceeds once in a million.
const CHI_SQUARE_19_AT_1E_6 = 63;
const CHI_SQUARE_23_AT_1E_6 = 70;

function take(stream: RandomStream, kinds: readonly Draw[]): unknown[] {
  return kinds.map((kind) => {
    switch (kind) {
      case 'uint32':
      case 'uniform':
      case 'normal':
        return stream[kind]();
      case 'integer':
        return stream.integer(1000);
      case 'wide':
        return stream.integer(2 ** 40 + 1);
      case 'shuffle': {
        const items = ['a', 'b', 'c', 'd', 'e'];
        stream.shuffle(items);
        return items;
      }
      case 'permutation':
        return [...stream.permutation(5)];
    }
    return kind satisfies never;
  });
}

function chiSquare(counts: readonly number[], total: number): number {
  const expected = total / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
