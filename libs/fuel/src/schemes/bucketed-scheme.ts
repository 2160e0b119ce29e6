import { type Json, KeyedPermutation, RandomKey } from '@longrun/serialization';
import { checkCount, examplesIdentity, type IterationScheme, wholeNumbers } from './iteration-scheme.js';
import { KeptOrders } from './kept-orders.js';

/** How far apart examples of one batch may be. */
export interface BucketedSchemeOptions {
  /** What the order follows from: seed and stage. */
  readonly key: RandomKey;
  /** Batches among whose examples those of like length are sought. Default 100. */
  readonly window?: number;
}

/**
 * Batches of examples of like length, so that little is padded: the examples are shuffled, those of so many batches at a time are sorted by their lengths, and the batches that
 * these make come in random order. Each example comes once an epoch. The order depends on the key and the epoch alone; it takes 4 bytes an
 * example for each epoch that a stream is in.
 */
export class BucketedScheme implements IterationScheme {
  readonly requestsExamples = false;
  readonly requestsPerEpoch: number;
  readonly batchSize: number;
  readonly #lengths: Uint32Array;
  readonly #key: RandomKey;
  readonly #window: number;
  readonly #orders: KeptOrders<readonly Uint32Array[]>;

  /**
   * @param lengths of each example, whole numbers
   * @param batchSize examples in a batch, at least 1
   */
  constructor(lengths: ArrayLike<number>, batchSize: number, { key, window = 100 }: BucketedSchemeOptions) {
    checkCount('BucketedScheme', 'batchSize', batchSize, 1);
    checkCount('BucketedScheme', 'window', window, 1);
    this.#lengths = wholeNumbers('BucketedScheme', 'length', lengths);
    this.batchSize = batchSize;
    this.requestsPerEpoch = Math.ceil(lengths.length / batchSize);
    this.#key = key;
    this.#window = window;
    this.#orders = new KeptOrders((epoch) => this.#draw(epoch));
  }

  request(epoch: number, position: number, reader?: object): Uint32Array | undefined {
    return this.#orders.of(epoch, reader)[position]?.slice();
  }

  identity(): { readonly [key: string]: Json } {
    const { seed, stage } = this.#key;
    return {
      scheme: 'BucketedScheme',
      lengths: examplesIdentity(this.#lengths),
      batchSize: this.batchSize,
      window: this.#window,
      seed,
      stage,
    };
  }

  #draw(epoch: number): readonly Uint32Array[] {
    const lengths = this.#lengths;
    const shuffled = new KeyedPermutation(this.#key, epoch, lengths.length);
    const order = Uint32Array.from({ length: lengths.length }, (_, place) => shuffled.at(place));
    const inWindow = this.#window * this.batchSize;
    for (let start = 0; start < order.length; start += inWindow)
      order
        .subarray(start, start + inWindow)
        // Those of one length stay as they were shuffled.
        .sort((one, other) => (lengths[one] ?? 0) - (lengths[other] ?? 0));
    const { seed, stage } = this.#key;
    const batches = new KeyedPermutation(
      new RandomKey(seed, JSON.stringify([stage, 'batches'])),
      epoch,
      this.requestsPerEpoch,
    );
    return Array.from({ length: this.requestsPerEpoch }, (_, position) => {
      const start = batches.at(position) * this.batchSize;
      return order.subarray(start, start + this.batchSize);
    });
  }
}
