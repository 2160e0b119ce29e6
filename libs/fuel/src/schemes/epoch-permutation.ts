import { createHash } from 'node:crypto';
import { RandomState, type Json, type RandomStream } from '@longrun/serialization';
import { exampleAt, examplesCount } from './iteration-scheme.js';
import { KeptOrders } from './kept-orders.js';

/**
 * The shuffled order of each epoch. Any epoch's order can be had at any time and always comes out the same, so it need not be saved: 4 bytes an example for each
 * epoch that somebody is in.
 *
 * Of a random stream it is drawn from a child named after the epoch's number. Of a {@link RandomState} it is that of the original Fuel, which shuffles once an epoch by one
 * generator: the order of an epoch takes as long as those of all epochs before it together, unless they were asked for one after the other.
 */
export class EpochPermutation {
  readonly #orders: KeptOrders<Uint32Array>;
  readonly #random: RandomStream | RandomState;

  /** @param random Nothing is drawn from it */
  constructor(examples: number | Uint32Array, random: RandomStream | RandomState) {
    const count = examplesCount(examples);
    const permutation =
      random instanceof RandomState
        ? original(count, random)
        : (epoch: number) => random.fork(epoch).permutation(count);
    this.#orders = new KeptOrders((epoch) => {
      const order = permutation(epoch);
      return typeof examples === 'number' ? order : order.map((index) => exampleAt(examples, index));
    });
    this.#random = random;
  }

  /** Indices of the examples in the order of this epoch, for one who goes through it. Not to be written to. */
  order(epoch: number, reader?: object): Uint32Array {
    return this.#orders.of(epoch, reader);
  }

  /** What makes two give the same orders. */
  get identity(): Json {
    const random = this.#random;
    return random instanceof RandomState ? digestOf(random) : random.state().identity;
  }
}

/** The permutations of the epochs, drawn one after the other by a copy of a generator. */
function original(count: number, random: RandomState): (epoch: number) => Uint32Array {
  const beginning = random.state();
  const generator = new RandomState(0);
  let next = Infinity;
  return (epoch) => {
    if (epoch < next) {
      generator.restore(beginning);
      next = 0;
    }
    const order = new Uint32Array(count);
    for (; next <= epoch; next += 1) {
      for (let i = 0; i < count; i += 1) order[i] = i;
      generator.shuffle(order);
    }
    return order;
  };
}

function digestOf(random: RandomState): string {
  return `RandomState, sha256 ${createHash('sha256').update(JSON.stringify(random.state())).digest('hex').slice(0, 16)}`;
}
