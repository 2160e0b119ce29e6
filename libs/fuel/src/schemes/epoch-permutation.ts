import type { RandomStream } from '@longrun/serialization';
import { exampleAt, examplesCount } from './iteration-scheme.js';

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
    const examples = this.#examples;
    const order = this.#random.fork(epoch).permutation(examplesCount(examples));
    this.#order = typeof examples === 'number' ? order : order.map((index) => exampleAt(examples, index));
    this.#epoch = epoch;
    return this.#order;
  }
}
