import type { RandomStream } from '@longrun/serialization';
import { exampleAt, examplesCount } from './iteration-scheme.js';
import { KeptOrders } from './kept-orders.js';

/**
 * The shuffled order of each epoch, drawn from a child of the random stream named after the epoch's number.
 *
 * Any epoch's order can be had at any time and always comes out the same, so it need not be saved: 4 bytes an example for each epoch that somebody is in.
 */
export class EpochPermutation {
  readonly #orders: KeptOrders<Uint32Array>;

  constructor(examples: number | Uint32Array, random: RandomStream) {
    this.#orders = new KeptOrders((epoch) => {
      const order = random.fork(epoch).permutation(examplesCount(examples));
      return typeof examples === 'number' ? order : order.map((index) => exampleAt(examples, index));
    });
  }

  /** Indices of the examples in the order of this epoch, for one who goes through it. Not to be written to. */
  order(epoch: number, reader?: object): Uint32Array {
    return this.#orders.of(epoch, reader);
  }
}
