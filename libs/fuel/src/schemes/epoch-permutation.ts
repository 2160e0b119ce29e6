import type { RandomStream } from '@longrun/serialization';
import { exampleAt, examplesCount } from './iteration-scheme.js';

/**
 * The shuffled order of each epoch, drawn from a child of the random stream named after the epoch's number.
 *
 * Any epoch's order can be had at any time and always comes out the same, so it need not be saved. For each reader the order of the
 * epoch that it asked for last is kept, once for all that are in one epoch: 4 bytes an example.
 */
export class EpochPermutation {
  /** Of readers that are gone nothing is kept. */
  readonly #kept = new WeakMap<object, EpochOrder>();
  #last: EpochOrder | undefined;
  readonly #examples: number | Uint32Array;
  readonly #random: RandomStream;

  constructor(examples: number | Uint32Array, random: RandomStream) {
    this.#examples = examples;
    this.#random = random;
  }

  /** Indices of the examples in the order of this epoch, for one who goes through it. Not to be written to. */
  order(epoch: number, reader: object = this): Uint32Array {
    const kept = this.#kept.get(reader);
    if (kept?.epoch === epoch) return kept.order;
    const last = this.#last?.epoch === epoch ? this.#last : { epoch, order: this.#draw(epoch) };
    this.#last = last;
    this.#kept.set(reader, last);
    return last.order;
  }

  #draw(epoch: number): Uint32Array {
    const examples = this.#examples;
    const order = this.#random.fork(epoch).permutation(examplesCount(examples));
    return typeof examples === 'number' ? order : order.map((index) => exampleAt(examples, index));
  }
}

interface EpochOrder {
  readonly epoch: number;
  readonly order: Uint32Array;
}
