import type { Json } from '@longrun/serialization';
import {
  checkCount,
  examplesCount,
  examplesIdentity,
  examplesOf,
  type Examples,
  type IterationScheme,
  type Request,
} from './iteration-scheme.js';

/** Batches in order, the same in every epoch; the last may be short (Fuel: `SequentialScheme`). */
export class SequentialScheme implements IterationScheme {
  readonly requestsExamples = false;
  readonly requestsPerEpoch: number;
  readonly batchSize: number;
  readonly #examples: number | Uint32Array;

  /**
   * @param examples how many examples, from the first on, or a list of indices
   * @param batchSize examples in a batch, at least 1
   */
  constructor(examples: Examples, batchSize: number) {
    this.batchSize = batchSize;
    checkCount('SequentialScheme', 'batchSize', batchSize, 1);
    this.#examples = examplesOf('SequentialScheme', examples);
    this.requestsPerEpoch = Math.ceil(examplesCount(this.#examples) / batchSize);
  }

  request(_epoch: number, position: number): Request | undefined {
    if (position >= this.requestsPerEpoch) return undefined;
    const start = position * this.batchSize;
    const stop = Math.min(start + this.batchSize, examplesCount(this.#examples));
    return typeof this.#examples === 'number' ? { start, stop } : this.#examples.slice(start, stop);
  }

  identity(): { readonly [key: string]: Json } {
    return { scheme: 'SequentialScheme', examples: examplesIdentity(this.#examples), batchSize: this.batchSize };
  }
}
