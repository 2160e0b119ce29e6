import type { Json } from '@longrun/serialization';
import { checkCount, type BatchSizeScheme } from './iteration-scheme.js';

/** How long a constant scheme goes on. Neither: for as long as there are examples. */
export interface ConstantSchemeOptions {
  /** Examples in an epoch; the last batch is short when they do not divide. Excludes `times`. */
  readonly examplesCount?: number;
  /** Batches in an epoch. Excludes `examplesCount`. */
  readonly times?: number;
}

/** Batches of one size (Fuel: `ConstantScheme`; `examplesCount` is its `num_examples`). */
export class ConstantScheme implements BatchSizeScheme {
  readonly batchesPerEpoch: number | null;
  readonly size: number;
  readonly #examplesCount: number | undefined;

  /** @param size examples in a batch, at least 1 */
  constructor(size: number, options: ConstantSchemeOptions = {}) {
    this.size = size;
    checkCount('ConstantScheme', 'size', size, 1);
    const { examplesCount, times } = options;
    if (examplesCount !== undefined && times !== undefined) {
      throw new RangeError(
        `ConstantScheme: examplesCount is ${examplesCount} and times is ${times}; give one of them, or neither`,
      );
    }
    if (examplesCount !== undefined) checkCount('ConstantScheme', 'examplesCount', examplesCount, 0);
    if (times !== undefined) checkCount('ConstantScheme', 'times', times, 0);
    this.#examplesCount = examplesCount;
    this.batchesPerEpoch = examplesCount === undefined ? (times ?? null) : Math.ceil(examplesCount / size);
  }

  batchSize(position: number): number | undefined {
    if (this.batchesPerEpoch !== null && position >= this.batchesPerEpoch) return undefined;
    if (this.#examplesCount === undefined) return this.size;
    return Math.min(this.size, this.#examplesCount - position * this.size);
  }

  identity(): { readonly [key: string]: Json } {
    return {
      scheme: 'ConstantScheme',
      size: this.size,
      batches: this.batchesPerEpoch,
      examples: this.#examplesCount ?? null,
    };
  }
}
