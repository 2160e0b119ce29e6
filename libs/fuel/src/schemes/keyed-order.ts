import { type Json, KeyedPermutation, type RandomKey } from '@longrun/serialization';
import { exampleAt, examplesCount, examplesIdentity, examplesOf, type Examples } from './iteration-scheme.js';

/**
 * The order of each epoch by a keyed permutation: each place is counted out when it is asked for. Of a count of examples it needs no memory
 * and no time to start, of a list that list.
 */
export class KeyedOrder {
  readonly count: number;
  readonly #examples: number | Uint32Array;
  readonly #key: RandomKey;
  #epoch = 0;
  #permutation: KeyedPermutation;

  constructor(scheme: string, examples: Examples, key: RandomKey) {
    this.#examples = examplesOf(scheme, examples);
    this.count = examplesCount(this.#examples);
    if (this.count > MOST_EXAMPLES) {
      throw new RangeError(
        `${scheme}: examples is ${this.count}; a request holds indices up to 2^32 - 1, so give 2^32 at most`,
      );
    }
    this.#key = key;
    this.#permutation = new KeyedPermutation(key, 0, this.count);
  }

  /** The example at a place of an epoch, counted from 0. @throws RangeError unless the place is an integer in [0, count) */
  at(epoch: number, place: number): number {
    if (epoch !== this.#epoch) {
      this.#permutation = new KeyedPermutation(this.#key, epoch, this.count);
      this.#epoch = epoch;
    }
    return exampleAt(this.#examples, this.#permutation.at(place));
  }

  identity(): { readonly [key: string]: Json } {
    const { seed, stage } = this.#key;
    return { examples: examplesIdentity(this.#examples), seed, stage };
  }
}

const MOST_EXAMPLES = 2 ** 32;
