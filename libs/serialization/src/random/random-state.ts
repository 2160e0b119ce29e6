import { shown } from '../shown.js';
import { naming, type StateHead, StateKind } from '../state-kind.js';
import { type Stateful, StateMismatch, type VersionedState } from '../state.js';
import { binomial } from './binomial.js';
import { choose, type ChoiceOptions } from './choice.js';
import { logarithm } from './logarithm.js';
import { MersenneTwister } from './mersenne-twister.js';
import { countedIndices, normalPair, type Shuffleable, shuffleBy, TWO_32, TWO_53, uniform } from './words.js';

/** Saved state of a {@link RandomState}: what NumPy's `get_state()` gives. */
export type RandomStateState = StateHead & {
  /** The 624 words of MT19937, each with its lowest byte first, as base64. */
  readonly words: string;
  /** Words of these that were drawn, 0..624. */
  readonly position: number;
  /** Whether the second of a pair of normal numbers is still to be handed out. */
  readonly hasGauss: boolean;
  /** That number; 0 if there is none. */
  readonly gauss: number;
};

/**
 * NumPy's legacy `numpy.random.RandomState` (MT19937), with the methods that Blocks and Fuel use: the same numbers for the same seed.
 *
 * Where NumPy has a `size` there is a `count`, and a flat array is returned, in the order in which NumPy fills an array of any shape.
 * Normal numbers are made with correctly rounded logarithms, NumPy's with those of the C library that it runs on: about 4 in 10,000
 * of NumPy's on glibc are 1 or 2 units in the last place away.
 *
 * Errors are RangeErrors, and nothing has been drawn then.
 */
export class RandomState implements Stateful<RandomStateState> {
  readonly #twister = new MersenneTwister();
  #gauss: number | null = null;

  /** @param seed see {@link RandomState.seed} */
  constructor(seed: number | readonly number[]) {
    this.seed(seed);
  }

  /** Starts anew from an integer in 0..2^32-1, or from a list of such; a list of one is another seed than its number. */
  seed(seed: number | readonly number[]): void {
    const numbers = typeof seed === 'number' ? [seed] : seed;
    if (numbers.length === 0) throw new RangeError('RandomState: the seed is an empty list; give at least one number');
    for (const number of numbers) {
      if (!Number.isInteger(number) || number < 0 || number >= TWO_32) {
        throw new RangeError(`RandomState: seed is ${number}; give integers in 0..2^32-1`);
      }
    }
    if (typeof seed === 'number') this.#twister.seed(seed);
    else this.#twister.seedByArray(Uint32Array.from(seed));
    this.#gauss = null;
  }

  /** Numbers in [0, 1), multiples of 2^-53. */
  randomSample(): number;
  randomSample(count: number): Float64Array;
  randomSample(count?: number): number | Float64Array {
    return draw(count, () => uniform(this.#twister));
  }

  /** NumPy's other name for {@link RandomState.randomSample}. */
  rand(): number;
  rand(count: number): Float64Array;
  rand(count?: number): number | Float64Array {
    return draw(count, () => uniform(this.#twister));
  }

  /** Numbers from low, inclusive, to high, exclusive but for rounding. Default [0, 1). */
  uniform(low?: number, high?: number): number;
  uniform(low: number, high: number, count: number): Float64Array;
  uniform(low = 0, high = 1, count?: number): number | Float64Array {
    const range = high - low;
    if (!Number.isFinite(range)) {
      throw new RangeError(`RandomState: uniform from ${low} to ${high} spans no finite range; give finite bounds`);
    }
    return draw(count, () => low + range * uniform(this.#twister));
  }

  /** Numbers of the normal distribution with mean 0 and standard deviation 1. */
  randn(): number;
  randn(count: number): Float64Array;
  randn(count?: number): number | Float64Array {
    return draw(count, () => this.#normal());
  }

  /** Numbers of the normal distribution with mean `loc` and standard deviation `scale`, which is at least 0. Default 0 and 1. */
  normal(loc?: number, scale?: number): number;
  normal(loc: number, scale: number, count: number): Float64Array;
  normal(loc = 0, scale = 1, count?: number): number | Float64Array {
    if (!(scale >= 0)) throw new RangeError(`RandomState: normal has scale ${scale}; give at least 0`);
    return draw(count, () => loc + scale * this.#normal());
  }

  /**
   * Integers from `low` to `high`, exclusive, each equally likely; from 0 to `low` if there is no `high`. Both lie within ±2^53
   * (NumPy: `randint` of the default dtype, which is int64 on Linux).
   */
  randint(low: number, high?: number): number;
  randint(low: number, high: number | undefined, count: number): Float64Array;
  randint(low: number, high?: number, count?: number): number | Float64Array {
    const first = high === undefined ? 0 : low;
    return this.#integers('randint', first, (high ?? low) - 1, count);
  }

  /** Integers from `low` to `high`, both inclusive, each equally likely; from 1 to `low` if there is no `high`. */
  randomIntegers(low: number, high?: number): number;
  randomIntegers(low: number, high: number | undefined, count: number): Float64Array;
  randomIntegers(low: number, high?: number, count?: number): number | Float64Array {
    const first = high === undefined ? 1 : low;
    return this.#integers('randomIntegers', first, high ?? low, count);
  }

  /** How many of `n` trials succeed, each with probability `p`. */
  binomial(n: number, p: number): number;
  binomial(n: number, p: number, count: number): Float64Array;
  binomial(n: number, p: number, count?: number): number | Float64Array {
    if (!Number.isSafeInteger(n) || n < 0) {
      throw new RangeError(`RandomState: binomial has n ${n}; give an integer in 0..2^53-1`);
    }
    if (!(p >= 0 && p <= 1)) throw new RangeError(`RandomState: binomial has p ${p}; give a probability, 0 to 1`);
    return draw(count, () => binomial(this.#twister, n, p));
  }

  /** Random bytes. */
  bytes(count: number): Uint8Array {
    checkCount(count);
    const bytes = new Uint8Array(count);
    for (let index = 0, word = 0; index < count; index += 1, word >>>= 8) {
      if (index % 4 === 0) word = this.#twister.uint32();
      bytes[index] = word;
    }
    return bytes;
  }

  /** Puts the items in random order, in place. */
  shuffle(items: Shuffleable): void {
    shuffleBy(items, (bound) => this.#integer(bound - 1));
  }

  /** The integers 0..count-1, or a copy of the items, in random order. A count is in 0..2^32. */
  permutation(count: number): Uint32Array;
  permutation<T>(items: readonly T[]): T[];
  permutation<T>(of: number | readonly T[]): Uint32Array | T[] {
    const order = typeof of === 'number' ? countedIndices('RandomState', of) : [...of];
    this.shuffle(order);
    return order;
  }

  /**
   * Some of the items, or of the integers 0..population-1: with replacement and each equally likely, unless the options say
   * otherwise.
   */
  choice(population: number, count: number, options?: ChoiceOptions): number[];
  choice<T>(population: readonly T[], count: number, options?: ChoiceOptions): T[];
  choice<T>(population: number | readonly T[], count: number, options: ChoiceOptions = {}): number[] | T[] {
    checkCount(count);
    if (typeof population === 'number') return choose(this, population, count, options);
    const chosen = choose(this, population.length, count, options);
    return chosen.flatMap((index) => population.slice(index, index + 1));
  }

  state(): RandomStateState {
    const { words, position } = this.#twister;
    const bytes = Buffer.alloc(4 * words.length);
    for (const [index, word] of words.entries()) bytes.writeUInt32LE(word, 4 * index);
    return {
      ...RANDOM_STATE.head,
      words: bytes.toString('base64'),
      position,
      hasGauss: this.#gauss !== null,
      gauss: this.#gauss ?? 0,
    };
  }

  /** @throws StateMismatch for what is no state of MT19937. */
  restore(state: VersionedState): void {
    const { words: saved, position, hasGauss, gauss } = RANDOM_STATE.read(state);
    const words = decodeWords(saved, this.#twister.words.length);
    if (typeof position !== 'number' || !Number.isInteger(position) || position < 0 || position > words.length) {
      throw mismatch(`position ${shown(position)}, which is not in 0..${words.length}`);
    }
    if (typeof hasGauss !== 'boolean') throw mismatch(`hasGauss ${shown(hasGauss)}, which is no boolean`);
    if (typeof gauss !== 'number' || !Number.isFinite(gauss)) {
      throw mismatch(`gauss ${shown(gauss)}, which is no number`);
    }
    this.#twister.words.set(words);
    this.#twister.position = position;
    this.#gauss = hasGauss ? gauss : null;
  }

  #normal(): number {
    if (this.#gauss !== null) {
      const gauss = this.#gauss;
      this.#gauss = null;
      return gauss;
    }
    const [kept, first] = normalPair(this.#twister, logarithm);
    this.#gauss = kept;
    return first;
  }

  #integers(method: string, first: number, last: number, count: number | undefined): number | Float64Array {
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || first > last || last - first >= TWO_53) {
      throw new RangeError(
        `RandomState: ${method} would draw integers from ${first} to ${last}; give integers within ±2^53, the lower one first, ` +
          `fewer than 2^53 apart`,
      );
    }
    return draw(count, () => first + this.#integer(last - first));
  }

  /** An integer in [0, last]: as many bits as `last` has are drawn until they give no more than it. */
  #integer(last: number): number {
    if (last === 0) return 0;
    const low = last % TWO_32;
    const high = (last - low) / TWO_32;
    const lowMask = high === 0 ? maskOf(low) : TWO_32 - 1;
    for (;;) {
      const upper = high === 0 ? 0 : this.#twister.uint32() & maskOf(high);
      const value = upper * TWO_32 + ((this.#twister.uint32() & lowMask) >>> 0);
      if (value <= last) return value;
    }
  }
}

const RANDOM_STATE = new StateKind('RandomState', {
  version: 2,
  namedSince: 2,
  migrations: [naming('RandomState')],
});

/** As many ones as `last`, in 1..2^32-1, has binary digits. */
function maskOf(last: number): number {
  return 0xffffffff >>> Math.clz32(last);
}

function draw(count: number | undefined, one: () => number): number | Float64Array {
  if (count === undefined) return one();
  checkCount(count);
  const numbers = new Float64Array(count);
  for (let index = 0; index < count; index += 1) numbers[index] = one();
  return numbers;
}

function checkCount(count: number): void {
  if (!Number.isInteger(count) || count < 0 || count > TWO_32) {
    throw new RangeError(`RandomState: count is ${count}; give an integer in 0..2^32`);
  }
}

function decodeWords(text: unknown, length: number): Uint32Array {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'base64') : Buffer.alloc(0);
  if (bytes.length !== 4 * length || bytes.toString('base64') !== text) {
    throw mismatch(`words that are not base64 of ${4 * length} bytes`);
  }
  const words = Uint32Array.from({ length }, (_, index) => bytes.readUInt32LE(4 * index));
  // Of the first word one bit counts. Where that and all others are 0, they stay it for ever.
  if (words.every((word, index) => (index === 0 ? word & 0x80000000 : word) === 0)) {
    throw mismatch('words that are all 0, from which only zeros follow');
  }
  return words;
}

function mismatch(fault: string): StateMismatch {
  return new StateMismatch(`RandomState: saved state has ${fault}; give the state that state() returned`);
}
