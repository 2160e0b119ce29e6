import type { RandomStream } from '@longrun/serialization';
import { examplesCount } from './iteration-scheme.js';

/**
 * The shuffled order of each epoch, drawn from a child of the random stream named after the epoch's number.
 *
 * Any epoch's order can be had at any time and always comes out the same, so it need not be saved. Only the order of the
 * epoch last asked for is kept: 4 bytes an example.
 */
export class EpochPermutation {
  #epoch = -1;
  #order: Uint32Array = new Uint32Array(0);
  readonly #examples: number | Uint32Array;
  readonly #random: RandomStream;

  constructor(examples: number | Uint32Array, random: RandomStream) {
    this.#examples = examples;
    this.#random = random;
  }

  /** Indices of the examples in the order of this epoch. Not to be written to. */
  order(epoch: number): Uint32Array {
    if (epoch === this.#epoch) return this.#order;
    const order = this.#random.fork(epoch).permutation(examplesCount(this.#examples));
    if (typeof this.#examples !== 'number') {
      for (let i = 0; i < order.length; i += 1) order[i] = this.#examples[order[i] ?? 0] ?? 0;
    }
    this.#epoch = epoch;
    this.#order = order;
    return order;
  }
}
