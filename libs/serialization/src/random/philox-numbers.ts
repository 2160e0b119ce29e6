import { shown } from '../shown.js';
import { StateMismatch, type VersionedState } from '../state.js';
import { philox4x32 } from './philox.js';
import { countedIndices, normalPair, type Shuffleable, shuffleBy, TWO_32, TWO_53, uint53, uniform } from './words.js';

/** How far a sequence of numbers has come. */
export type DrawnPosition = {
  /** 32-bit words drawn so far. */
  readonly drawn: number;
  /** The second of a pair of normal numbers, if it is still to be handed out. */
  readonly spareNormal: number | null;
};

/** Where the words come from: Philox of the counters (number of the block, second, third, fourth), the lowest word first. */
export interface PhiloxPlace {
  readonly key0: number;
  readonly key1: number;
  /** Default: the upper word of the number of the block. Where it is given there are 2^34 words. */
  readonly second?: number;
  readonly third: number;
  readonly fourth: number;
  /** The logarithm that normal numbers are made with. */
  readonly log: (x: number) => number;
}

/** Random numbers of Philox4x32-10 of a counter, which can go on from any position. */
export abstract class PhiloxNumbers {
  readonly #words = new Uint32Array(4);
  readonly #place: PhiloxPlace;
  /** Blocks of four words begun, the last of which is in `#words`. */
  #blocks = 0;
  /** Words of that block that were drawn. */
  #lane = 4;
  #spareNormal: number | null = null;

  protected constructor(place: PhiloxPlace) {
    this.#place = place;
  }

  /** What this is, for errors. */
  protected abstract what(): string;

  /** An integer in [0, 2^32): 32 random bits. */
  uint32(): number {
    if (this.#lane === 4) this.#nextBlock();
    const word = this.#words[this.#lane] ?? 0;
    this.#lane += 1;
    return word;
  }

  /** A number in [0, 1), a multiple of 2^-53. */
  uniform(): number {
    return uniform(this);
  }

  /** A number of the normal distribution with mean 0 and standard deviation 1. */
  normal(): number {
    if (this.#spareNormal !== null) {
      const spare = this.#spareNormal;
      this.#spareNormal = null;
      return spare;
    }
    const [first, second] = normalPair(this, this.#place.log);
    this.#spareNormal = second;
    return first;
  }

  /** An integer in [0, bound), each equally likely. @throws RangeError unless bound is an integer in 1..2^53. */
  integer(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > TWO_53) {
      throw new RangeError(`${this.what()}: integer needs a bound in 1..2^53, but got ${bound}`);
    }
    const small = bound <= TWO_32;
    const range = small ? TWO_32 : TWO_53;
    // Numbers past the last whole multiple of bound are drawn again: keeping them would favour the small ones.
    const limit = range - (range % bound);
    for (;;) {
      const word = small ? this.uint32() : uint53(this);
      if (word < limit) return word % bound;
    }
  }

  /** Puts the items in random order, in place; every order is equally likely. */
  shuffle(items: Shuffleable): void {
    shuffleBy(items, (bound) => this.integer(bound));
  }

  /** The integers 0..count-1 in random order. @throws RangeError unless count is an integer in 0..2^32. */
  permutation(count: number): Uint32Array {
    const indices = countedIndices(this.what(), count);
    this.shuffle(indices);
    return indices;
  }

  /** Goes back to the beginning. */
  reset(): void {
    this.#seek(0, null);
  }

  protected position(): DrawnPosition {
    return { drawn: 4 * this.#blocks + this.#lane - 4, spareNormal: this.#spareNormal };
  }

  /** Goes to a saved position. @throws StateMismatch if that is none, and stays where it was. */
  protected moveTo({ drawn, spareNormal }: VersionedState): void {
    const most = this.#place.second === undefined ? Number.MAX_SAFE_INTEGER : 4 * TWO_32;
    if (typeof drawn !== 'number' || !Number.isInteger(drawn) || drawn < 0 || drawn > most) {
      throw new StateMismatch(
        `${this.what()}: saved state has drawn ${shown(drawn)}, which is no count of words in 0..${most}`,
      );
    }
    if (spareNormal !== null && typeof spareNormal !== 'number') {
      throw new StateMismatch(`${this.what()}: saved state has spareNormal ${shown(spareNormal)}, which is no number`);
    }
    this.#seek(drawn, spareNormal);
  }

  #seek(drawn: number, spareNormal: number | null): void {
    this.#blocks = Math.floor(drawn / 4);
    this.#lane = 4;
    if (drawn % 4 !== 0) {
      this.#nextBlock();
      this.#lane = drawn % 4;
    }
    this.#spareNormal = spareNormal;
  }

  #nextBlock(): void {
    const { key0, key1, second, third, fourth } = this.#place;
    const upper = Math.floor(this.#blocks / TWO_32);
    if (second !== undefined && upper > 0) throw new RangeError(`${this.what()}: all 2^34 numbers have been drawn`);
    philox4x32(this.#blocks >>> 0, second ?? upper, third, fourth, key0, key1, this.#words);
    this.#blocks += 1;
    this.#lane = 0;
  }
}
