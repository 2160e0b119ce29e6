import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { KeyedPermutation } from './keyed-permutation.js';
import { RandomKey } from './random-key.js';

const KEY = new RandomKey(1, 'order');

test('the order of a seed, stage, epoch and count never changes', () => {
  // Recomputed by test/goldens/random-stream.py.
  expect(order(new KeyedPermutation(KEY, 3, 10))).toEqual([5, 9, 0, 3, 6, 7, 1, 8, 2, 4]);
  const many = new KeyedPermutation(KEY, 3, 10_000_000);
  expect([0, 1, 9_999_999].map((place) => many.at(place))).toEqual([1942145, 2598205, 1443403]);
  expect(new KeyedPermutation(KEY, 3, 2 ** 53).at(2 ** 53 - 1)).toBe(454337175891978);
});

test('every integer is in one place', () => {
  fc.assert(
    fc.property(fc.nat({ max: 300 }), fc.nat(), fc.nat(), (count, seed, epoch) => {
      const permutation = new KeyedPermutation(new RandomKey(seed, 'p'), epoch, count);
      expect(order(permutation).toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
    }),
    { numRuns: 50, seed: 1 },
  );
});

test('the place of what is in a place is that place, up to 2^53', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 53 }), fc.maxSafeNat(), fc.nat(), (count, number, epoch) => {
      const permutation = new KeyedPermutation(KEY, epoch, count);
      const place = number % count;
      const integer = permutation.at(place);
      expect(Number.isSafeInteger(integer) && integer >= 0 && integer < count).toBe(true);
      expect(permutation.placeOf(integer)).toBe(place);
      expect(permutation.at(permutation.placeOf(place))).toBe(place);
    }),
    { seed: 1 },
  );
});

test('a place asked for alone holds what it holds when all are asked for in turn', () => {
  const count = 70_000;
  const all = order(new KeyedPermutation(KEY, 0, count));
  expect(new Set(all).size).toBe(count);
  for (const place of [count - 1, 41_234, 7, 0]) expect(new KeyedPermutation(KEY, 0, count).at(place)).toBe(all[place]);
});

test.each([2, 3, 4, 5])('each of all orders of %s is equally likely', (count) => {
  const orders = factorial(count);
  const total = 100 * orders;
  const counts = new Map<string, number>();
  for (let epoch = 0; epoch < total; epoch += 1) {
    const text = order(new KeyedPermutation(KEY, epoch, count)).join();
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  expect(counts.size).toBe(orders);
  expectEven([...counts.values()], orders - 1);
});

// 16 and 36 are the whole of a square, 9 and 37 are not.
test.each([9, 16, 36, 37])(
  'each integer is equally likely in each place of %s, and half of all orders are even',
  (count) => {
    const total = 1500;
    const counts = Array.from({ length: count * count }, () => 0);
    let even = 0;
    for (let epoch = 0; epoch < total; epoch += 1) {
      const integers = order(new KeyedPermutation(KEY, epoch, count));
      for (const [place, integer] of integers.entries()) increment(counts, place * count + integer);
      if (isEven(integers)) even += 1;
    }
    // One place's counts fix those of the others in part: (count - 1)² degrees of freedom, each of count / (count - 1).
    expectEven(counts, (count - 1) ** 2, count / (count - 1));
    expect(Math.abs(even / total - 0.5)).toBeLessThan((5 * 0.5) / Math.sqrt(total));
  },
);

test.each([
  [16, 10_000],
  [272, 10_000],
  [2 ** 16, 10_000],
  [10_000_000, 10_000],
])('each pair, and each step, of integers is equally likely in neighbouring places of %s', (count, total) => {
  const parts = 16;
  const pairs = Array.from({ length: parts * parts }, () => 0);
  const part = (integer: number) => Math.floor((integer * parts) / count);
  const steps = Array.from({ length: parts }, () => 0);
  for (let epoch = 0; epoch < total; epoch += 1) {
    const permutation = new KeyedPermutation(KEY, epoch, count);
    const [first, second] = [permutation.at(2), permutation.at(3)];
    increment(pairs, part(first) * parts + part(second));
    increment(steps, part((second - first + count) % count));
  }
  // Of 16 each integer is a part of its own, and none stands in two places.
  const possible = count === parts ? pairs.filter((_, index) => index % (parts + 1) !== 0) : pairs;
  const possibleSteps = count === parts ? steps.slice(1) : steps;
  expect(sum(possible)).toBe(total);
  expectEven(possible, possible.length - 1);
  expectEven(possibleSteps, possibleSteps.length - 1);
});

test('two epochs, two stages and two seeds have orders that have nothing to do with each other', () => {
  const count = 1000;
  const orders = [
    new KeyedPermutation(KEY, 0, count),
    new KeyedPermutation(KEY, 1, count),
    new KeyedPermutation(new RandomKey(1, 'other'), 0, count),
    new KeyedPermutation(new RandomKey(2, 'order'), 0, count),
  ].map(order);
  for (const [index, a] of orders.entries()) {
    for (const b of orders.slice(0, index)) {
      // As many places with the same integer as chance gives: 1 on average, 12 once in 10^9.
      expect(a.filter((integer, place) => integer === b[place]).length).toBeLessThan(12);
    }
  }
});

test('a place or integer that is not there is refused', () => {
  const permutation = new KeyedPermutation(KEY, 0, 3);
  for (const wrong of [-1, 3, 0.5, Number.NaN]) {
    expect(() => permutation.at(wrong)).toThrow(`of 3: there is no place ${wrong}`);
    expect(() => permutation.placeOf(wrong)).toThrow(`of 3: there is no integer ${wrong}`);
  }
  expect(() => new KeyedPermutation(KEY, 0, 0).at(0)).toThrow(RangeError);
});

test.each([
  [0, -1],
  [0, 1.5],
  [0, 2 ** 53 + 2],
  [-1, 3],
  [2 ** 32, 3],
])('epoch %s and count %s are refused', (epoch, count) => {
  expect(() => new KeyedPermutation(KEY, epoch, count)).toThrow(RangeError);
});

function order(permutation: KeyedPermutation): number[] {
  return Array.from({ length: permutation.count }, (_, place) => permutation.at(place));
}

function isEven(integers: readonly number[]): boolean {
  const seen = new Set<number>();
  let cycles = 0;
  for (const start of integers) {
    if (seen.has(start)) continue;
    cycles += 1;
    for (let at = start; !seen.has(at); at = integers[at] ?? start) seen.add(at);
  }
  return (integers.length - cycles) % 2 === 0;
}

/** Chi-square over `scale` is below what a true one of these degrees of freedom exceeds once in a million (Wilson, Hilferty). */
function expectEven(counts: readonly number[], freedom: number, scale = 1): void {
  const expected = sum(counts) / counts.length;
  const chiSquare = sum(counts.map((count) => (count - expected) ** 2 / expected)) / scale;
  const spread = 2 / (9 * freedom);
  expect(chiSquare).toBeLessThan(freedom * (1 - spread + 4.753 * Math.sqrt(spread)) ** 3);
}

function increment(counts: number[], index: number): void {
  counts[index] = (counts[index] ?? 0) + 1;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function factorial(number: number): number {
  return number < 2 ? 1 : number * factorial(number - 1);
}
