import type { Json, RandomKey } from '@longrun/serialization';
import type { Examples, IterationScheme } from './iteration-scheme.js';
import { KeyedOrder } from './keyed-order.js';

/** Single examples in the order of `KeyedShuffledScheme`: shuffled anew in each epoch, without memory, from any position on at once. */
export class KeyedShuffledExampleScheme implements IterationScheme {
  readonly requestsExamples = true;
  readonly requestsPerEpoch: number;
  readonly #order: KeyedOrder;

  /**
   * @param examples how many examples, from the first on, or a list of indices
   * @param options `key`: what the order follows from
   */
  constructor(examples: Examples, options: { readonly key: RandomKey }) {
    this.#order = new KeyedOrder('KeyedShuffledExampleScheme', examples, options.key);
    this.requestsPerEpoch = this.#order.count;
  }

  request(epoch: number, position: number): number | undefined {
    return position < this.requestsPerEpoch ? this.#order.at(epoch, position) : undefined;
  }

  identity(): { readonly [key: string]: Json } {
    return { scheme: 'KeyedShuffledExampleScheme', ...this.#order.identity() };
  }
}
