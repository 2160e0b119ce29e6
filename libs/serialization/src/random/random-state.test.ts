import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { StateMismatch, type VersionedState } from '../state.js';
import { RandomState } from './random-state.js';

/** What NumPy drew: see test/goldens/random-state.py. */
const golden = JSON.parse(
  readFileSync(new URL('../../test/goldens/random-state.json', import.meta.url), 'utf8'),
) as Golden;
const COUNT = 1_000_000;
const WEIGHTS = [0.1, 0, 0.25, 0.05, 0.6];

const methods: { readonly [name: string]: (random: RandomState) => ArrayLike<number> } = {
  randomSample: (random) => random.randomSample(COUNT),
  uniform: (random) => random.uniform(-3.5, 11, COUNT),
  randint: (random) => random.randint(0, 10, COUNT),
  randintOneBit: (random) => random.randint(2, undefined, COUNT),
  randintWide: (random) => random.randint(-5, 2 ** 40 + 3, COUNT),
  randintWord: (random) => random.randint(0, 2 ** 32, COUNT),
  randomIntegers: (random) => random.randomIntegers(-7, 99, COUNT),
  binomialFew: (random) => random.binomial(20, 0.3, COUNT),
  binomialRare: (random) => random.binomial(100_000, 0.0001, COUNT),
  binomialMany: (random) => random.binomial(1000, 0.4, COUNT),
  binomialMost: (random) => random.binomial(10_000, 0.7, COUNT),
  bytes: (random) => random.bytes(COUNT),
  shuffle: (random) => {
    const items = Uint32Array.from({ length: COUNT }, (_, index) => index);
    random.shuffle(items);
    return items;
  },
  permutation: (random) => random.permutation(COUNT),
  choice: (random) => random.choice(12_345, COUNT),
  choiceWeighted: (random) => random.choice(5, COUNT, { p: WEIGHTS }),
  choiceWithoutReplacement: (random) => random.choice(COUNT, 1000, { replace: false }),
  normal: (random) => random.randn(COUNT),
};

const cases = Object.entries(golden.draws).flatMap(([seed, draws]) =>
  Object.keys(draws).map((method) => [method, seed] as const),
);

test.each(cases)('a million draws of %s are those of NumPy, seed %s', (method, seed) => {
  const expected = golden.draws[seed]?.[method];
  const draws = Float64Array.from(methods[method]?.(new RandomState(JSON.parse(seed) as number | number[])) ?? []);
  // Normal numbers that NumPy rounds otherwise, in units in the last place.
  const bits = new BigInt64Array(draws.buffer);
  for (const [index, units] of expected?.differing ?? []) bits[index] = (bits[index] ?? 0n) + BigInt(units);
  expect([...draws.subarray(0, 5)]).toEqual(expected?.first);
  expect(sha256(draws)).toBe(expected?.sha256);
});

test('less than one normal number in a thousand is not that of NumPy on glibc, by at most two units in the last place', () => {
  for (const seed of ['1', '[1,2,3,4]']) {
    const differing = golden.draws[seed]?.['normal']?.differing ?? [];
    expect(differing.length).toBeGreaterThan(0);
    expect(differing.length).toBeLessThan(COUNT / 1000);
    expect(Math.max(...differing.map(([, units]) => Math.abs(units)))).toBeLessThanOrEqual(2);
  }
});

test('the order that Fuel documents', () => {
  const items = [0, 1, 2, 3, 4, 5, 6, 7];
  new RandomState(1).shuffle(items);
  expect(items).toEqual([7, 2, 1, 6, 0, 4, 3, 5]);
});

test('location and scale, odd counts and draws of nothing are those of NumPy', () => {
  expect([...new RandomState(1).normal(3, 0.1, 5)]).toEqual(golden.draws['1']?.['normal']?.affine);
  const random = new RandomState(3);
  const draws = [random.binomial(0, 0.5), random.binomial(10, 0), random.binomial(10, 1), random.randint(7, 8)];
  draws.push(random.randomSample(), ...random.bytes(7), random.randint(-(2 ** 52), 2 ** 52), random.uniform());
  draws.push(random.normal(), random.randomIntegers(6), ...random.choice(5, 4, { replace: false, p: WEIGHTS }));
  draws.push(...random.choice(3, 2), ...random.permutation(3), random.randn(), random.rand());
  expect(draws).toEqual(golden.rare);
});

test('the state is that of NumPy, word for word', () => {
  const random = new RandomState(1);
  random.randn(1001);
  const { words, position, hasGauss, gauss } = random.state();
  expect({ sha256: sha256(Buffer.from(words, 'base64')), position, hasGauss, gauss }).toEqual(golden.state);
});

const DRAWS = {
  randomSample: (random) => random.randomSample(),
  rand: (random) => random.rand(700),
  uniform: (random) => random.uniform(-1, 1),
  normal: (random) => random.normal(),
  randn: (random) => random.randn(3),
  randint: (random) => random.randint(0, 2 ** 40),
  randomIntegers: (random) => random.randomIntegers(9),
  binomial: (random) => random.binomial(90, 0.5),
  bytes: (random) => random.bytes(5),
  shuffle: (random) => random.permutation(['a', 'b', 'c', 'd']),
  choice: (random) => random.choice(['a', 'b', 'c'], 2, { p: [0.5, 0.25, 0.25], replace: false }),
} satisfies { readonly [name: string]: (random: RandomState) => unknown };

const draws = fc.array(fc.constantFrom(...Object.values(DRAWS)), { maxLength: 12 });

test('going on at any cut, through JSON, in a fresh instance, equals no cut', () => {
  let betweenTwoNormals = 0;
  fc.assert(
    fc.property(fc.nat(), draws, draws, (seed, before, after) => {
      const undisturbed = new RandomState(seed);
      for (const draw of before) draw(undisturbed);
      const saved: VersionedState = JSON.parse(JSON.stringify(undisturbed.state()));
      if (saved['hasGauss'] === true) betweenTwoNormals += 1;
      const expected = after.map((draw) => draw(undisturbed));

      const resumed = new RandomState(0);
      resumed.restore(saved);
      expect(resumed.state()).toEqual(saved);
      expect(after.map((draw) => draw(resumed))).toEqual(expected);
    }),
    { numRuns: 60, seed: 1 },
  );
  expect(betweenTwoNormals).toBeGreaterThan(0);
});

test('a seed starts anew, without the second of a pair of normal numbers', () => {
  const random = new RandomState(1);
  random.normal();
  random.seed(2);
  expect(random.normal()).toBe(new RandomState(2).normal());
});

test('what is no state is refused and changes nothing', () => {
  const random = new RandomState(1);
  random.normal();
  const saved = random.state();
  for (const wrong of [
    { ...saved, version: 3 },
    { ...saved, words: null },
    { ...saved, words: saved.words.slice(4) },
    { ...saved, words: `${saved.words}!` },
    { ...saved, words: Buffer.alloc(2496).toString('base64') },
    { ...saved, position: 625 },
    { ...saved, position: -1 },
    { ...saved, position: 0.5 },
    { ...saved, hasGauss: 1 },
    { ...saved, gauss: null },
  ]) {
    expect(() => random.restore(wrong)).toThrow(StateMismatch);
    expect(random.state()).toEqual(saved);
  }
});

test.each<readonly [string, (random: RandomState) => unknown]>([
  ['seed is -1', (random) => random.seed(-1)],
  ['seed is 4294967296', (random) => random.seed([1, 2 ** 32])],
  ['an empty list', (random) => random.seed([])],
  ['from 5 to 4', (random) => random.randint(5, 5)],
  ['from 0.5 to', (random) => random.randomIntegers(0.5, 2)],
  ['fewer than 2^53 apart', (random) => random.randint(-(2 ** 53) + 1, 2 ** 53 - 1)],
  ['uniform from 0 to Infinity', (random) => random.uniform(0, Infinity)],
  ['scale -1', (random) => random.normal(0, -1)],
  ['n 1.5', (random) => random.binomial(1.5, 0.5)],
  ['p 1.1', (random) => random.binomial(1, 1.1)],
  ['count is -1', (random) => random.rand(-1)],
  ['population of 0', (random) => random.choice(0, 1)],
  ['4 without replacement of 3', (random) => random.choice(3, 4, { replace: false })],
  ['2 without replacement of 1', (random) => random.choice(2, 2, { replace: false, p: [1, 0] })],
  ['sum to 0.75', (random) => random.choice(2, 1, { p: [0.5, 0.25] })],
  ['has 1 probabilities', (random) => random.choice(2, 1, { p: [1] })],
  ['probability of -1', (random) => random.choice(2, 1, { p: [2, -1] })],
])('what cannot be drawn is refused and draws nothing: %s', (message, draw) => {
  const random = new RandomState(1);
  const before = random.state();
  expect(() => draw(random)).toThrow(RangeError);
  expect(() => draw(random)).toThrow(message);
  expect(random.state()).toEqual(before);
});

function sha256(bytes: Uint8Array | Float64Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

interface Golden {
  readonly draws: { readonly [seed: string]: { readonly [method: string]: GoldenDraws } };
  readonly rare: readonly number[];
  readonly state: unknown;
  readonly logarithms: string;
}

interface GoldenDraws {
  readonly first: readonly number[];
  readonly sha256: string;
  readonly differing?: readonly (readonly [index: number, units: number])[];
  readonly affine?: readonly number[];
}
