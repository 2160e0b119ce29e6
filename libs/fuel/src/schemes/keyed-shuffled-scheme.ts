import type { Json, RandomKey } from '@longrun/serialization';
import { checkCount, type Examples, type IterationScheme } from './iteration-scheme.js';
import { KeyedOrder } from './keyed-order.js';

/** How a keyed scheme shuffles. */
export interface KeyedShuffledSchemeOptions {
  /** What the order follows from: seed and stage. Another key gives another order. */
  readonly key: RandomKey;
  /** Sort the indices inside each batch, which speeds up reading from a disk. Default false. */
  readonly sortedIndices?: boolean;
}

/**
 * As `ShuffledScheme`, batches in an order that is shuffled anew in each epoch, each example once an epoch; but it keeps no order: whatever the
 * number of examples, up to 2^32, it starts and resumes at any position at once, and needs no memory. A batch costs about a microsecond an
 * example.
 *
 * The order of an epoch depends on the key, the number of the epoch and that of the examples alone. There are 2^32 epochs.
 */
export class KeyedShuffledScheme implements IterationScheme {
  readonly requestsExamples = false;
  readonly requestsPerEpoch: number;
  readonly batchSize: number;
  readonly #order: KeyedOrder;
  readonly #sortedIndices: boolean;

  /**
   * @param examples how many examples, from the first on, or a list of indices
   * @param batchSize examples in a batch, at least 1
   */
  constructor(examples: Examples, batchSize: number, options: KeyedShuffledSchemeOptions) {
    this.batchSize = batchSize;
    checkCount('KeyedShuffledScheme', 'batchSize', batchSize, 1);
    this.#order = new KeyedOrder('KeyedShuffledScheme', examples, options.key);
    this.#sortedIndices = options.sortedIndices ?? false;
    this.requestsPerEpoch = Math.ceil(this.#order.count / batchSize);
  }

  request(epoch: number, position: number): Uint32Array | undefined {
    if (position >= this.requestsPerEpoch) return undefined;
    const start = position * this.batchSize;
    const batch = new Uint32Array(Math.min(this.batchSize, this.#order.count - start));
    for (let i = 0; i < batch.length; i += 1) batch[i] = this.#order.at(epoch, start + i);
    return this.#sortedIndices ? batch.toSorted() : batch;
  }

  identity(): { readonly [key: string]: Json } {
    return {
      scheme: 'KeyedShuffledScheme',
      ...this.#order.identity(),
      batchSize: this.batchSize,
      sortedIndices: this.#sortedIndices,
    };
  }
}
