import type { Json, RandomState, RandomStream } from '@longrun/serialization';
import { EpochPermutation } from './epoch-permutation.js';
import {
  checkCount,
  examplesCount,
  examplesIdentity,
  examplesOf,
  type Examples,
  type IterationScheme,
  type Request,
} from './iteration-scheme.js';

/** How a shuffled scheme shuffles. */
export interface ShuffledSchemeOptions {
  /**
   * Where the order comes from: a stream of the experiment's random streams, or, for the order that the original Fuel has by default, `new RandomState(1)`. Nothing is drawn from
   * it.
   */
  readonly random: RandomStream | RandomState;
  /** Sort the indices inside each batch, which speeds up reading from a disk. Default false. */
  readonly sortedIndices?: boolean;
}

/**
 * Batches in an order that is shuffled anew in each epoch; every example once an epoch, the last batch may be short
 * (Fuel: `ShuffledScheme`).
 *
 * The order of an epoch depends on where it comes from and the number of the epoch alone.
 */
export class ShuffledScheme implements IterationScheme {
  readonly requestsExamples = false;
  readonly requestsPerEpoch: number;
  readonly batchSize: number;
  readonly #examples: number | Uint32Array;
  readonly #permutation: EpochPermutation;
  readonly #sortedIndices: boolean;

  /**
   * @param examples how many examples, from the first on, or a list of indices
   * @param batchSize examples in a batch, at least 1
   */
  constructor(examples: Examples, batchSize: number, options: ShuffledSchemeOptions) {
    this.batchSize = batchSize;
    checkCount('ShuffledScheme', 'batchSize', batchSize, 1);
    this.#examples = examplesOf('ShuffledScheme', examples);
    this.#permutation = new EpochPermutation(this.#examples, options.random);
    this.#sortedIndices = options.sortedIndices ?? false;
    this.requestsPerEpoch = Math.ceil(examplesCount(this.#examples) / batchSize);
  }

  request(epoch: number, position: number, reader?: object): Request | undefined {
    if (position >= this.requestsPerEpoch) return undefined;
    const start = position * this.batchSize;
    const batch = this.#permutation.order(epoch, reader).slice(start, start + this.batchSize);
    return this.#sortedIndices ? batch.toSorted() : batch;
  }

  identity(): { readonly [key: string]: Json } {
    return {
      scheme: 'ShuffledScheme',
      examples: examplesIdentity(this.#examples),
      batchSize: this.batchSize,
      sortedIndices: this.#sortedIndices,
      random: this.#permutation.identity,
    };
  }
}
