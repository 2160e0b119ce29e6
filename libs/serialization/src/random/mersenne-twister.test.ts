import { expect, test } from 'vitest';

import { MersenneTwister } from './mersenne-twister.js';

test("a list of numbers seeds as in the authors' mt19937ar.out", () => {
  const twister = new MersenneTwister();
  twister.seedByArray(Uint32Array.of(0x123, 0x234, 0x345, 0x456));
  expect(Array.from({ length: 5 }, () => twister.uint32())).toEqual([
    1067595299, 955945823, 477289528, 4107218783, 4228976476,
  ]);
});

test('the 10,000th word of seed 5489 is the one that the C++ standard demands of mt19937', () => {
  const twister = new MersenneTwister();
  twister.seed(5489);
  for (let drawn = 1; drawn < 10_000; drawn += 1) twister.uint32();
  expect(twister.uint32()).toBe(4123659995);
});

test('a list that is longer than the state counts to its end', () => {
  const [twister, other] = [new MersenneTwister(), new MersenneTwister()];
  twister.seedByArray(new Uint32Array(700).fill(1));
  other.seedByArray(new Uint32Array(700).fill(1, 0, 699));
  expect(twister.uint32()).not.toBe(other.uint32());
});
