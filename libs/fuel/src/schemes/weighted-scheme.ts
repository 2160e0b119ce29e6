import { createHash } from 'node:crypto';
import { type Json, RandomAt, type RandomKey } from '@longrun/serialization';
import { checkCount, type IterationScheme } from './iteration-scheme.js';

/** How examples are drawn. */
export interface WeightedSchemeOptions {
  /** What is drawn follows from: seed and stage. */
  readonly key: RandomKey;
  /** Examples in an epoch. Default: as many as there are. */
  readonly examplesPerEpoch?: number;
}

/**
 * Batches of examples that are drawn with replacement, each as often as its weight says: for classes that are rare. What is drawn depends on the key, the epoch and the place
 * alone.
 */
export class WeightedScheme implements IterationScheme {
  readonly requestsExamples = false;
  readonly requestsPerEpoch: number;
  readonly batchSize: number;
  readonly #key: RandomKey;
  readonly #examplesPerEpoch: number;
  /** Sums of the weights, up to each example and with it. */
  readonly #sums: Float64Array;

  /**
   * @param weights of each example, in any unit: numbers from 0, not all 0
   * @param batchSize examples in a batch, at least 1
   * @throws RangeError for weights that are none
   */
  constructor(weights: ArrayLike<number>, batchSize: number, options: WeightedSchemeOptions) {
    const { key, examplesPerEpoch = weights.length } = options;
    checkCount('WeightedScheme', 'batchSize', batchSize, 1);
    checkCount('WeightedScheme', 'examplesPerEpoch', examplesPerEpoch, 0);
    this.batchSize = batchSize;
    this.requestsPerEpoch = Math.ceil(examplesPerEpoch / batchSize);
    this.#key = key;
    this.#examplesPerEpoch = examplesPerEpoch;
    this.#sums = new Float64Array(weights.length);
    let sum = 0;
    for (let i = 0; i < weights.length; i += 1) {
      const weight = weights[i] ?? Number.NaN;
      if (!(weight >= 0 && weight < Infinity))
        throw new RangeError(`WeightedScheme: the weight of example ${i} is ${weight}; give numbers from 0`);
      sum += weight;
      this.#sums[i] = sum;
    }
    if (!(sum > 0 && sum < Infinity))
      throw new RangeError(`WeightedScheme: the weights sum up to ${sum}; give one at least that is more than 0`);
  }

  request(epoch: number, position: number): Uint32Array | undefined {
    if (position >= this.requestsPerEpoch) return undefined;
    const start = position * this.batchSize;
    const batch = new Uint32Array(Math.min(this.batchSize, this.#examplesPerEpoch - start));
    for (let i = 0; i < batch.length; i += 1)
      batch[i] = this.#exampleOf(new RandomAt(this.#key, epoch, start + i).uniform());
    return batch;
  }

  identity(): { readonly [key: string]: Json } {
    const { seed, stage } = this.#key;
    const bytes = new Uint8Array(this.#sums.buffer);
    return {
      scheme: 'WeightedScheme',
      weights: `${this.#sums.length} listed, sha256 ${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`,
      batchSize: this.batchSize,
      examplesPerEpoch: this.#examplesPerEpoch,
      seed,
      stage,
    };
  }

  /** The first whose sum is beyond a share of all. */
  #exampleOf(share: number): number {
    const sums = this.#sums;
    const wanted = share * (sums.at(-1) ?? 0);
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] ?? 0) > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
