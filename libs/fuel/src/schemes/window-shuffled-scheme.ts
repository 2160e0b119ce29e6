import { type Json, KeyedPermutation, RandomKey } from '@longrun/serialization';
import { checkCount, type IterationScheme } from './iteration-scheme.js';

/** How far examples come from one another. */
export interface WindowShuffledSchemeOptions {
  /** What the order follows from: seed and stage. */
  readonly key: RandomKey;
  /** Examples that lie in one chunk of the file. */
  readonly chunk: number;
  /** How many chunks are mixed. Default 16. */
  readonly window?: number;
}

/**
 * Batches in a shuffled order that suits files in chunks: the chunks come in random order, so many at a time, and the examples of those are mixed. So a reader decodes each
 * chunk once an epoch, where it keeps a window of them, and not once for each example. Each example comes once an epoch.
 *
 * The order depends on the key, the number of the epoch, and the counts alone; it needs no memory, and goes on at any position at once.
 */
export class WindowShuffledScheme implements IterationScheme {
  readonly requestsExamples = false;
  readonly requestsPerEpoch: number;
  readonly batchSize: number;
  readonly #count: number;
  readonly #key: RandomKey;
  readonly #chunk: number;
  readonly #window: number;
  #epoch: EpochWindows | undefined;

  /**
   * @param examples how many examples, from the first on
   * @param batchSize examples in a batch, at least 1
   */
  constructor(examples: number, batchSize: number, { key, chunk, window = 16 }: WindowShuffledSchemeOptions) {
    checkCount('WindowShuffledScheme', 'examples', examples, 0);
    checkCount('WindowShuffledScheme', 'batchSize', batchSize, 1);
    checkCount('WindowShuffledScheme', 'chunk', chunk, 1);
    checkCount('WindowShuffledScheme', 'window', window, 1);
    if (examples > MOST_EXAMPLES)
      throw new RangeError(`WindowShuffledScheme: examples is ${examples}; a request holds indices up to 2^32 - 1`);
    this.batchSize = batchSize;
    this.requestsPerEpoch = Math.ceil(examples / batchSize);
    this.#count = examples;
    this.#key = key;
    this.#chunk = chunk;
    this.#window = window;
  }

  request(epoch: number, position: number): Uint32Array | undefined {
    if (position >= this.requestsPerEpoch) return undefined;
    if (this.#epoch?.epoch !== epoch)
      this.#epoch = new EpochWindows(epoch, {
        count: this.#count,
        chunk: this.#chunk,
        window: this.#window,
        key: this.#key,
      });
    const start = position * this.batchSize;
    const batch = new Uint32Array(Math.min(this.batchSize, this.#count - start));
    for (let i = 0; i < batch.length; i += 1) batch[i] = this.#epoch.at(start + i);
    return batch;
  }

  identity(): { readonly [key: string]: Json } {
    const { seed, stage } = this.#key;
    return {
      scheme: 'WindowShuffledScheme',
      examples: this.#count,
      batchSize: this.batchSize,
      chunk: this.#chunk,
      window: this.#window,
      seed,
      stage,
    };
  }
}

const MOST_EXAMPLES = 2 ** 32;

interface Windows {
  readonly count: number;
  readonly chunk: number;
  readonly window: number;
  readonly key: RandomKey;
}

/** The order of one epoch: the chunks, of which one may be short, one after the other in random order. */
class EpochWindows {
  readonly epoch: number;
  readonly #windows: Windows;
  readonly #chunks: KeyedPermutation;
  /** How much shorter the last chunk of the file is than the others, and the first place behind it in this order. */
  readonly #shortage: number;
  readonly #behindShort: number;
  readonly #inWindow: RandomKey;
  #order: { readonly window: number; readonly start: number; readonly examples: KeyedPermutation } | undefined;

  constructor(epoch: number, windows: Windows) {
    const { count, chunk, key } = windows;
    const chunks = Math.ceil(count / chunk);
    this.epoch = epoch;
    this.#windows = windows;
    this.#chunks = new KeyedPermutation(key, epoch, chunks);
    this.#shortage = chunks * chunk - count;
    this.#behindShort = (this.#chunks.placeOf(chunks - 1) + 1) * chunk - this.#shortage;
    this.#inWindow = new RandomKey(key.seed, JSON.stringify([key.stage, 'windows of epoch', epoch]));
  }

  at(place: number): number {
    const { chunk, window } = this.#windows;
    const order = this.#windowOf(Math.floor(this.#asIfWhole(place) / (chunk * window)));
    const mixed = this.#asIfWhole(order.start + order.examples.at(place - order.start));
    return this.#chunks.at(Math.floor(mixed / chunk)) * chunk + (mixed % chunk);
  }

  /** Where a place would be if all chunks were whole. */
  #asIfWhole(place: number): number {
    return place < this.#behindShort ? place : place + this.#shortage;
  }

  #windowOf(window: number) {
    if (this.#order?.window === window) return this.#order;
    const [start, end] = [this.#startOf(window), this.#startOf(window + 1)];
    this.#order = { window, start, examples: new KeyedPermutation(this.#inWindow, window, end - start) };
    return this.#order;
  }

  /** The first place of a window. */
  #startOf(window: number): number {
    const { chunk, window: chunks, count } = this.#windows;
    const whole = window * chunks * chunk;
    return Math.min(count, whole - this.#shortage >= this.#behindShort ? whole - this.#shortage : whole);
  }
}
