import type { RandomState } from './random-state.js';

/** How `RandomState.choice` chooses. */
export interface ChoiceOptions {
  /** Whether the same may be chosen again. Default true. */
  readonly replace?: boolean;
  /** Probability of each of the population; they sum to 1 within 2^-26. Default: all are equally likely. */
  readonly p?: readonly number[];
}

/**
 * Indices of `count` of a population, as NumPy's legacy `RandomState.choice` chooses them.
 *
 * @throws RangeError if there are not enough of them, or p does not fit.
 */
export function choose(random: RandomState, population: number, count: number, options: ChoiceOptions): number[] {
  const { replace = true, p } = options;
  if (!Number.isSafeInteger(population) || population < 0 || (population === 0 && count > 0)) {
    throw new RangeError(`RandomState: choice of a population of ${population}; give at least 1 to choose from`);
  }
  const possible = p === undefined ? population : checked(p, population);
  if (!replace && count > possible) {
    throw new RangeError(
      `RandomState: choice of ${count} without replacement of ${possible} that can be; choose fewer, or with replacement`,
    );
  }
  if (population === 0) return [];
  if (p === undefined) {
    return replace ? [...random.randint(0, population, count)] : [...random.permutation(population).subarray(0, count)];
  }
  const cumulative = cumulated(p);
  if (replace) return Array.from(random.randomSample(count), (u) => firstAbove(cumulative, u));
  return withoutReplacement(random, [...p], count);
}

/** Draws the missing ones again and again, those already chosen having no probability any more. */
function withoutReplacement(random: RandomState, p: number[], count: number): number[] {
  const chosen = new Set<number>();
  while (chosen.size < count) {
    const draws = random.rand(count - chosen.size);
    for (const index of chosen) p[index] = 0;
    const cumulative = cumulated(p);
    for (const u of draws) chosen.add(firstAbove(cumulative, u));
  }
  return [...chosen];
}

/** How many have a probability above 0. */
function checked(p: readonly number[], population: number): number {
  if (p.length !== population) {
    throw new RangeError(`RandomState: choice of ${population} has ${p.length} probabilities; give one for each`);
  }
  for (const probability of p) {
    if (!(probability >= 0)) {
      throw new RangeError(`RandomState: choice has a probability of ${probability}; give numbers from 0 to 1`);
    }
  }
  const sum = p.reduce((total, probability) => total + probability, 0);
  if (!(Math.abs(sum - 1) <= 2 ** -26)) {
    throw new RangeError(`RandomState: the probabilities of choice sum to ${sum}; divide them by their sum`);
  }
  return p.filter((probability) => probability > 0).length;
}

/** Sums of the first 1, 2, ... of them, over the sum of all. */
function cumulated(p: readonly number[]): Float64Array {
  const sums = new Float64Array(p.length);
  let sum = 0;
  for (const [index, probability] of p.entries()) {
    sum += probability;
    sums[index] = sum;
  }
  return sums.map((partial) => partial / sum);
}

/** Index of the first that is above u. The last one is 1, which u is not. */
function firstAbove(sums: Float64Array, u: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sums[middle] ?? 1) > u) high = middle;
    else low = middle + 1;
  }
  return low;
}
