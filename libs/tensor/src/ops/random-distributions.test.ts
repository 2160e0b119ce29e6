import { randomAt, type NdArray, type RandomAt } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import {
  constant,
  grad,
  formatType,
  randomBinomial,
  randomNormal,
  randomState,
  randomUniform,
  scalar,
  shared,
  sum,
  vector,
  type Draw,
} from '../index.js';
import { BEYOND_LIMITS, ENGINES, runWithinLimits } from '../../test/engines.js';
import { array, expectClose, present } from '../../test/op-laws.js';

const [SEED, STAGE] = [7, 'noise'];
const STATE = constant(randomState(SEED, STAGE));

function place(): RandomAt {
  return randomAt(SEED, { epoch: 0, index: 0, stage: STAGE });
}

/** The first numbers in [0, 1) of the draw. */
function units(count: number, dtype: 'float32' | 'float64' = 'float32'): number[] {
  const from = place();
  return Array.from({ length: count }, () => (dtype === 'float32' ? (from.uint32() >>> 8) / 2 ** 24 : from.uniform()));
}

function numbers({ data }: NdArray): number[] {
  return Array.from(data as ArrayLike<number | bigint>, Number);
}

const [reference, ...OTHERS] = ENGINES;

describe.each(ENGINES)('on $name', (engine) => {
  async function values(draws: readonly Draw[]): Promise<NdArray[] | typeof BEYOND_LIMITS> {
    return runWithinLimits(
      engine,
      [],
      draws.map((draw) => draw.values),
      [],
    );
  }

  test.each(['float32', 'float64'] as const)(
    '1.T-10 uniform numbers have the bits of their place: %s',
    async (dtype) => {
      const results = await values([
        randomUniform(STATE, [3, 5], { dtype }),
        randomUniform(STATE, [15], { low: -1, high: 1, dtype }),
        randomUniform(STATE, [0], { dtype }),
      ]);
      if (results === BEYOND_LIMITS) return;
      const expected = units(15, dtype);
      expect(results.map((result) => [result.dtype, result.shape])).toEqual([
        [dtype, [3, 5]],
        [dtype, [15]],
        [dtype, [0]],
      ]);
      expect(results.map(numbers)).toEqual([expected, expected.map((unit) => 2 * unit - 1), []]);
    },
  );

  test.each(['float32', 'float64'] as const)('1.T-07 normal numbers are those of Box and Muller: %s', async (dtype) => {
    const count = 2001;
    const n = scalar('n', 'int64');
    const draws = [randomNormal(STATE, [n, 3], { dtype }), randomNormal(STATE, [n, 3], { mean: 5, std: 0.5, dtype })];
    const results = await runWithinLimits(
      engine,
      [n],
      draws.map((draw) => draw.values),
      [array('int64', [], [count / 3])],
    );
    if (results === BEYOND_LIMITS) return;
    const pairs = 1001;
    const drawn = units(2 * pairs, dtype);
    const expected = Array.from({ length: count }, (_, k) => {
      const radius = Math.sqrt(-2 * Math.log(1 - present(drawn[k % pairs])));
      const angle = 2 * Math.PI * (present(drawn[pairs + (k % pairs)]) - 0.5);
      return radius * (k < pairs ? Math.cos(angle) : Math.sin(angle));
    });
    const tolerance = dtype === 'float32' ? 1e-6 : 2e-15;
    expectClose(present(results[0]), array(dtype, [count / 3, 3], expected), tolerance, engine.name);
    expectClose(
      present(results[1]),
      array(
        dtype,
        [count / 3, 3],
        expected.map((z) => 5 + z / 2),
      ),
      tolerance,
      engine.name,
    );
  });

  test('1.T-08 trials succeed where the number in [0, 1) lies below p', async () => {
    const p = constant(array('float32', [3], [0, 0.25, 1]));
    const results = present(
      await values([
        randomBinomial(STATE, [2, 4]),
        randomBinomial(STATE, [5, 3], { p, dtype: 'float32' }),
        randomBinomial(STATE, [4], { n: 3, p: 0.75 }),
        randomBinomial(STATE, [4], { n: 0 }),
      ]),
    );
    if (results === BEYOND_LIMITS) throw new Error('float32 is what all engines have');
    const drawn = units(15);
    const trial = (k: number, probability: number): number => Number(present(drawn[k]) < probability);
    expect(results.map(({ dtype, shape }) => [dtype, shape])).toEqual([
      ['int64', [2, 4]],
      ['float32', [5, 3]],
      ['int64', [4]],
      ['int64', [4]],
    ]);
    expect(results.map(numbers)).toEqual([
      Array.from({ length: 8 }, (_, k) => trial(k, 0.5)),
      Array.from({ length: 15 }, (_, k) => trial(k, present([0, 0.25, 1][k % 3]))),
      Array.from({ length: 4 }, (_, k) => trial(k, 0.75) + trial(k + 4, 0.75) + trial(k + 8, 0.75)),
      [0, 0, 0, 0],
    ]);
  });
});

test('uniform numbers between any bounds have the same bits on all engines that round each op', async () => {
  const draw = randomUniform(STATE, [1000], { low: 0.1, high: 0.37 }).values;
  const [exact] = await present(reference).run([], [draw], []);
  const results = await Promise.all(
    OTHERS.map(async (engine) => numbers(present((await engine.run([], [draw], []))[0]))),
  );
  for (const result of results) expect(result).toEqual(results[0]);
  expectClose(array('float32', [1000], present(results[0])), present(exact), 6e-8);
});

test('the numbers are distributed as they should be', async () => {
  const count = 40_000;
  const [uniform, normal] = (
    await present(reference).run([], [randomUniform(STATE, [count]).values, randomNormal(STATE, [count]).values], [])
  ).map((result) => numbers(result).toSorted((a, b) => a - b));
  // Kolmogorov and Smirnov: farther off in one of 10^4 samples only.
  const farthest = 2.23 / Math.sqrt(count);
  const distance = (sorted: readonly number[], distribution: (x: number) => number): number =>
    Math.max(...sorted.map((x, k) => Math.abs(distribution(x) - (k + 0.5) / count)));
  expect(distance(present(uniform), (x) => x)).toBeLessThan(farthest);
  expect(distance(present(normal), normalDistribution)).toBeLessThan(farthest);
});

/** The integral of the density by Simpson's rule, to 1e-6. */
function normalDistribution(x: number): number {
  const [steps, end] = [60, Math.min(6, Math.abs(x))];
  const width = end / steps;
  let integral = 0;
  for (let step = 0; step <= steps; step += 1) {
    const weight = step === 0 || step === steps ? 1 : step % 2 === 1 ? 4 : 2;
    integral += weight * Math.exp(-((step * width) ** 2) / 2);
  }
  return 0.5 + (Math.sign(x) * integral * width) / 3 / Math.sqrt(2 * Math.PI);
}

test('gradients flow to the parameters of a distribution, as through a reparametrization', async () => {
  const [mean, std] = [vector('mean', 'float64'), vector('std', 'float64')];
  const normal = randomNormal(STATE, [2, 3], { mean, std, dtype: 'float64' }).values;
  const standard = sum(randomNormal(STATE, [2, 3], { dtype: 'float64' }).values, { axis: 0 });
  const given = [array('float64', [3], [1, 2, 3]), array('float64', [3], [1, 1, 2])];
  const outputs = [...grad(sum(normal), [mean, std]), standard];
  const [ofMean, ofStd, z] = await present(reference).run([mean, std], outputs, given);
  expect(numbers(present(ofMean))).toEqual([2, 2, 2]);
  expectClose(present(ofStd), present(z));
});

test('types tell the sizes that are known, and what is no probability is refused', () => {
  const state = shared(randomState(SEED, STAGE), 'state');
  const n = scalar('n', 'int64');
  expect(formatType(randomUniform(state, [n, 2]).values.type)).toBe('float32 (null, 2)');
  expect(formatType(randomNormal(state, [3, 2], { dtype: 'float64' }).values.type)).toBe('float64 (3, 2)');
  expect(formatType(randomBinomial(state, [n]).values.type)).toBe('int64 (null,)');
  expect(() => randomBinomial(state, [2], { p: 1.5 })).toThrow('randomBinomial: p is 1.5; give a probability in 0..1');
  expect(() => randomBinomial(state, [2], { n: -1 })).toThrow('randomBinomial: -1 trials cannot be made');
});
