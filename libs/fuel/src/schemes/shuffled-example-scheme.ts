import type { Json, RandomState, RandomStream } from '@longrun/serialization';
import { EpochPermutation } from './epoch-permutation.js';
import {
  examplesCount,
  examplesIdentity,
  examplesOf,
  type Examples,
  type IterationScheme,
  type Request,
} from './iteration-scheme.js';

/** Single examples in an order that is shuffled anew in each epoch (Fuel: `ShuffledExampleScheme`). */
export class ShuffledExampleScheme implements IterationScheme {
  readonly requestsExamples = true;
  readonly requestsPerEpoch: number;
  readonly #examples: number | Uint32Array;
  readonly #permutation: EpochPermutation;

  /**
   * @param examples how many examples, from the first on, or a list of indices
   * @param options `random`: where the order comes from; nothing is drawn from it; `new RandomState(1)` for the order of the original Fuel
   */
  constructor(examples: Examples, options: { readonly random: RandomStream | RandomState }) {
    this.#examples = examplesOf('ShuffledExampleScheme', examples);
    this.#permutation = new EpochPermutation(this.#examples, options.random);
    this.requestsPerEpoch = examplesCount(this.#examples);
  }

  request(epoch: number, position: number, reader?: object): Request | undefined {
    if (position >= this.requestsPerEpoch) return undefined;
    return this.#permutation.order(epoch, reader)[position];
  }

  identity(): { readonly [key: string]: Json } {
    return {
      scheme: 'ShuffledExampleScheme',
      examples: examplesIdentity(this.#examples),
      random: this.#permutation.identity,
    };
  }
}
