import { createHash } from 'node:crypto';
import type { Json } from '@longrun/serialization';
import type { RowRange } from '../arrays/rows.js';

/** What a dataset is asked for: one example by its index, or the rows of a batch. */
export type Request = number | RowRange | Uint32Array;

/**
 * The order in which a dataset is gone through (Fuel: `IterationScheme`).
 *
 * A scheme has no state of its own. Its requests are a function of the epoch and the position in it, so that the state of
 * a stream is these two numbers, however large the dataset.
 */
export interface IterationScheme {
  /** True when requests are single examples, false when they are batches. */
  readonly requestsExamples: boolean;
  /** Requests in each epoch. */
  readonly requestsPerEpoch: number;
  /**
   * The request at a position of an epoch, both counted from 0; undefined from the end of the epoch on.
   *
   * @param reader who goes through it: what the scheme keeps of an epoch it keeps for each, so that several in different epochs do not
   * have it made again and again. Default: one for all that are not named
   */
  request(epoch: number, position: number, reader?: object): Request | undefined;
  /** What makes two schemes give the same requests. Saved with a stream, which refuses to go on with another scheme. */
  identity(): { readonly [key: string]: Json };
}

/** How many examples go into each batch of a stream that puts batches together itself (Fuel: `BatchSizeScheme`). */
export interface BatchSizeScheme {
  /** Batches in each epoch; null for as long as there are examples. */
  readonly batchesPerEpoch: number | null;
  /** Examples in the batch at a position of the epoch, counted from 0; undefined from the end of the epoch on. */
  batchSize(position: number): number | undefined;
  /** What makes two schemes give the same sizes. */
  identity(): { readonly [key: string]: Json };
}

/** The examples that a scheme goes through: the first so many, or these. */
export type Examples = number | ArrayLike<number>;

/** Checked and copied; a number stays a number, which needs no memory. */
export function examplesOf(scheme: string, examples: Examples): number | Uint32Array {
  if (typeof examples === 'number') {
    checkCount(scheme, 'examples', examples, 0);
    return examples;
  }
  return wholeNumbers(scheme, 'example', examples);
}

/** A copy of a list of whole numbers up to 2^32 - 1. @throws RangeError naming the one that is none, and what it is */
export function wholeNumbers(scheme: string, what: string, list: ArrayLike<number>): Uint32Array {
  const numbers = Uint32Array.from(list);
  for (let i = 0; i < numbers.length; i += 1) {
    if (numbers[i] === list[i]) continue;
    throw new RangeError(`${scheme}: ${what} ${list[i]} is not an index; give whole numbers from 0 to 4294967295`);
  }
  return numbers;
}

/** How many examples there are. */
export function examplesCount(examples: number | Uint32Array): number {
  return typeof examples === 'number' ? examples : examples.length;
}

/** The example of an index in the list, or the index itself. @throws RangeError where there is none of that index */
export function exampleAt(examples: number | Uint32Array, index: number): number {
  const count = examplesCount(examples);
  const example = typeof examples === 'number' ? index : examples[index];
  if (example !== undefined && Number.isInteger(index) && index >= 0 && index < count) return example;
  throw new RangeError(`there is no example ${index}: there are ${count}, numbered from 0`);
}

/** The count, or a checksum of the list. */
export function examplesIdentity(examples: number | Uint32Array): Json {
  if (typeof examples === 'number') return examples;
  const bytes = new Uint8Array(examples.buffer, examples.byteOffset, examples.byteLength);
  return `${examples.length} listed, sha256 ${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
}

/** Throws a sentence unless `value` is a whole number of at least `least`. */
export function checkCount(scheme: string, name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RangeError(`${scheme}: ${name} is ${value}; give a whole number of at least ${least}`);
}
