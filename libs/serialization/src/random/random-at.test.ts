import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { StateMismatch, type VersionedState } from '../state.js';
import { RandomAt, randomAt } from './random-at.js';
import { RandomKey } from './random-key.js';

const place = fc.record({
  epoch: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  index: fc.maxSafeNat(),
  stage: fc.string(),
});

test('the numbers of a seed and place never change', () => {
  // Recomputed by test/goldens/random-stream.py.
  const random = randomAt(1, { epoch: 2, index: 2 ** 40 + 3, stage: 'crop' });
  expect(Array.from({ length: 6 }, () => random.uint32())).toEqual([
    3932913967, 2230430892, 2232794426, 3409359283, 2927163149, 3702629492,
  ]);
});

test('numbers depend on their place alone, not on what was drawn before or elsewhere', () => {
  const key = new RandomKey(5, 'crop');
  const inOrder = [0, 1, 2, 3].map((index) => new RandomAt(key, 7, index).normal());
  const backwards = [3, 2, 1, 0].map((index) => randomAt(5, { epoch: 7, index, stage: 'crop' }).normal());
  expect(backwards.toReversed()).toEqual(inOrder);
});

test('other seeds, epochs, indices and stages have other numbers', () => {
  const at = { epoch: 1, index: 1, stage: 'a' };
  const heads = [
    randomAt(1, at),
    randomAt(2, at),
    randomAt(1, { ...at, epoch: 2 }),
    randomAt(1, { ...at, index: 2 }),
    randomAt(1, { ...at, index: 2 ** 32 + 1 }),
    randomAt(1, { ...at, stage: 'b' }),
    randomAt(1, { ...at, stage: '' }),
  ].map((random) => random.uint32());
  expect(new Set(heads).size).toBe(heads.length);
});

test('the first numbers of neighbouring examples are even and uncorrelated', () => {
  const key = new RandomKey(3, 'flip');
  const total = 20_000;
  const first = Array.from({ length: total }, (_, index) => new RandomAt(key, 0, index).uniform() - 0.5);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  // Standard deviations: sqrt(1/12 / total), and 1/12 / sqrt(total); five of them.
  expect(Math.abs(mean(first))).toBeLessThan(5 * Math.sqrt(1 / 12 / total));
  const neighbours = first.slice(1).map((value, index) => value * (first[index] ?? 0));
  expect(Math.abs(mean(neighbours))).toBeLessThan(5 / 12 / Math.sqrt(total));
});

test('going on at any cut, through JSON, in a fresh instance, equals no cut', () => {
  const draw = fc.constantFrom<(random: RandomAt) => unknown>(
    (random) => random.uint32(),
    (random) => random.uniform(),
    (random) => random.normal(),
    (random) => random.integer(2 ** 40),
    (random) => random.permutation(4),
  );
  fc.assert(
    fc.property(fc.maxSafeNat(), place, fc.array(draw), fc.array(draw), (seed, at, before, after) => {
      const undisturbed = randomAt(seed, at);
      for (const take of before) take(undisturbed);
      const saved: VersionedState = JSON.parse(JSON.stringify(undisturbed.state()));
      const expected = after.map((take) => take(undisturbed));

      const resumed = randomAt(seed, at);
      resumed.restore(saved);
      expect(resumed.state()).toEqual(saved);
      expect(after.map((take) => take(resumed))).toEqual(expected);
    }),
  );
});

test('the state of another place is refused and changes nothing', () => {
  const at = { epoch: 1, index: 2, stage: 'a' };
  const random = randomAt(1, at);
  random.normal();
  const saved = random.state();
  for (const wrong of [
    randomAt(2, at).state(),
    randomAt(1, { ...at, epoch: 3 }).state(),
    randomAt(1, { ...at, index: 3 }).state(),
    randomAt(1, { ...at, stage: 'b' }).state(),
    { ...saved, drawn: -1 },
    { ...saved, drawn: 2 ** 34 + 1 },
    { ...saved, spareNormal: 'x' },
  ]) {
    expect(() => random.restore(wrong)).toThrow(StateMismatch);
    expect(random.state()).toEqual(saved);
  }
});

test('a place ends after 2^34 words with an error that says so', () => {
  const random = randomAt(1, { epoch: 0, index: 9, stage: 'crop' });
  random.restore({ ...random.state(), drawn: 2 ** 34 - 1 });
  random.uint32();
  expect(() => random.uint32()).toThrow('RandomAt epoch 0, index 9, stage "crop": all 2^34 numbers have been drawn');
});

test.each([
  [-1, 0, 0],
  [2 ** 53, 0, 0],
  [1, -1, 0],
  [1, 2 ** 32, 0],
  [1, 0, 0.5],
  [1, 0, 2 ** 53],
])('seed %s, epoch %s, index %s is refused', (seed, epoch, index) => {
  expect(() => randomAt(seed, { epoch, index, stage: 'a' })).toThrow(RangeError);
});
