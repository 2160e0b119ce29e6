import { uniform, type Words } from './words.js';

/**
 * How many of n trials succeed, each with probability p, as NumPy's legacy `RandomState.binomial` draws it.
 *
 * For p above 1/2 failures are counted instead. Where few are expected, at most 30, the distribution is gone through from 0 on, and by
 * BTPE otherwise (Kachitvichyanukul and Schmeiser, "Binomial random variate generation", Communications of the ACM 1988).
 *
 * @param n an integer, at least 0
 * @param p in [0, 1]
 */
export function binomial(words: Words, n: number, p: number): number {
  if (p > 0.5) return n - fewOrMany(words, n, 1 - p);
  return fewOrMany(words, n, p);
}

/** The last bits of `Math.log` and `Math.exp` decide here with a probability of some 2^-50 a draw, so the engine's own ones will do. */
function fewOrMany(words: Words, n: number, p: number): number {
  return p * n <= 30 ? byInversion(words, n, p) : byRejection(words, n, p);
}

function byInversion(words: Words, n: number, p: number): number {
  const q = 1 - p;
  const none = Math.exp(n * Math.log(q));
  const mean = n * p;
  const bound = Math.min(n, mean + 10 * Math.sqrt(mean * q + 1));
  let successes = 0;
  let probability = none;
  let left = uniform(words);
  while (left > probability) {
    successes += 1;
    if (successes > bound) {
      successes = 0;
      probability = none;
      left = uniform(words);
    } else {
      left -= probability;
      probability = ((n - successes + 1) * p * probability) / (successes * q);
    }
  }
  return successes;
}

/** BTPE: a triangle in the middle, two parallelograms beside it and two exponential tails lie above the distribution. */
function byRejection(words: Words, n: number, p: number): number {
  const q = 1 - p;
  const variance = n * p * q;
  const top = n * p + p;
  const mode = Math.floor(top);
  const triangle = Math.floor(2.195 * Math.sqrt(variance) - 4.6 * q) + 0.5;
  const middle = mode + 0.5;
  const left = middle - triangle;
  const right = middle + triangle;
  const height = 0.134 + 20.5 / (15.3 + mode);
  const leftRate = tailRate((top - left) / (top - left * p));
  const rightRate = tailRate((right - top) / (right * q));
  const parallelograms = triangle * (1 + 2 * height);
  const leftTail = parallelograms + height / leftRate;
  const rightTail = leftTail + height / rightRate;

  for (;;) {
    const u = uniform(words) * rightTail;
    let v = uniform(words);
    if (u <= triangle) return Math.floor(middle - triangle * v + u);
    let y: number;
    if (u <= parallelograms) {
      const x = left + (u - triangle) / height;
      v = v * height + 1 - Math.abs(mode - x + 0.5) / triangle;
      if (v > 1) continue;
      y = Math.floor(x);
    } else if (u <= leftTail) {
      y = Math.floor(left + Math.log(v) / leftRate);
      if (y < 0 || v === 0) continue;
      v = v * (u - parallelograms) * leftRate;
    } else {
      y = Math.floor(right - Math.log(v) / rightRate);
      if (y > n || v === 0) continue;
      v = v * (u - leftTail) * rightRate;
    }
    if (isBelow(v, y, { n, p, q, mode, middle, variance })) return y;
  }
}

function tailRate(a: number): number {
  return a * (1 + a / 2);
}

interface Distribution {
  readonly n: number;
  readonly p: number;
  readonly q: number;
  readonly mode: number;
  readonly middle: number;
  readonly variance: number;
}

/** Whether v is at most the probability of y over that of the mode. */
function isBelow(v: number, y: number, { n, p, q, mode, middle, variance }: Distribution): boolean {
  const distance = Math.abs(y - mode);
  if (distance <= 20 || distance >= variance / 2 - 1) return v <= ratioByProduct(y, { n, p, q, mode });
  // Squeezed between two parabolas first, and by Stirling's formula where these do not tell.
  const width = (distance / variance) * ((distance * (distance / 3 + 0.625) + 0.16666666666666666) / variance + 0.5);
  const parabola = (-distance * distance) / (2 * variance);
  const logarithm = Math.log(v);
  if (logarithm < parabola - width) return true;
  if (logarithm > parabola + width) return false;
  const x = y + 1;
  const f = mode + 1;
  const z = n + 1 - mode;
  const w = n - y + 1;
  const bound =
    middle * Math.log(f / x) +
    (n - mode + 0.5) * Math.log(z / w) +
    (y - mode) * Math.log((w * p) / (x * q)) +
    stirling(f) +
    stirling(z) +
    stirling(x) +
    stirling(w);
  return logarithm <= bound;
}

/** The probability of y over that of the mode. */
function ratioByProduct(y: number, { n, p, q, mode }: Pick<Distribution, 'n' | 'p' | 'q' | 'mode'>): number {
  const odds = p / q;
  const a = odds * (n + 1);
  let ratio = 1;
  for (let k = mode + 1; k <= y; k += 1) ratio *= a / k - odds;
  for (let k = y + 1; k <= mode; k += 1) ratio /= a / k - odds;
  return ratio;
}

/** The first terms of the correction in Stirling's formula; the first should be 13860, but NumPy's numbers are those of 13680. */
function stirling(x: number): number {
  const square = x * x;
  return (13680 - (462 - (132 - (99 - 140 / square) / square) / square) / square) / x / 166320;
}
