import type { Json } from '@longrun/serialization';
import {
  examplesCount,
  examplesIdentity,
  examplesOf,
  type Examples,
  type IterationScheme,
  type Request,
} from './iteration-scheme.js';

/** One example after the other, in the same order in every epoch (Fuel: `SequentialExampleScheme`). */
export class SequentialExampleScheme implements IterationScheme {
  readonly requestsExamples = true;
  readonly requestsPerEpoch: number;
  readonly #examples: number | Uint32Array;

  /** @param examples how many examples, from the first on, or a list of indices */
  constructor(examples: Examples) {
    this.#examples = examplesOf('SequentialExampleScheme', examples);
    this.requestsPerEpoch = examplesCount(this.#examples);
  }

  request(_epoch: number, position: number): Request | undefined {
    if (position >= this.requestsPerEpoch) return undefined;
    return typeof this.#examples === 'number' ? position : this.#examples[position];
  }

  identity(): { readonly [key: string]: Json } {
    return { scheme: 'SequentialExampleScheme', examples: examplesIdentity(this.#examples) };
  }
}
