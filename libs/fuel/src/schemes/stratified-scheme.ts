import { type Json, RandomAt, type RandomKey } from '@longrun/serialization';
import { checkCount, examplesIdentity, type IterationScheme, wholeNumbers } from './iteration-scheme.js';
import { KeptOrders } from './kept-orders.js';

/**
 * Batches in a shuffled order in which each class is spread evenly over the epoch: a batch has its share of each class, give or take one. Each example comes once an epoch.
 * The order depends on the key and the epoch alone; it takes 4 bytes an example for each epoch that a stream is in.
 */
export class StratifiedScheme implements IterationScheme {
  readonly requestsExamples = false;
  readonly requestsPerEpoch: number;
  readonly batchSize: number;
  readonly #classes: Uint32Array;
  readonly #key: RandomKey;
  readonly #orders: KeptOrders<Uint32Array>;

  /**
   * @param classes of each example, whole numbers
   * @param batchSize examples in a batch, at least 1
   */
  constructor(classes: ArrayLike<number>, batchSize: number, { key }: { readonly key: RandomKey }) {
    checkCount('StratifiedScheme', 'batchSize', batchSize, 1);
    this.#classes = wholeNumbers('StratifiedScheme', 'class', classes);
    this.batchSize = batchSize;
    this.requestsPerEpoch = Math.ceil(classes.length / batchSize);
    this.#key = key;
    this.#orders = new KeptOrders((epoch) => this.#draw(epoch));
  }

  request(epoch: number, position: number, reader?: object): Uint32Array | undefined {
    if (position >= this.requestsPerEpoch) return undefined;
    const start = position * this.batchSize;
    return this.#orders.of(epoch, reader).slice(start, start + this.batchSize);
  }

  identity(): { readonly [key: string]: Json } {
    const { seed, stage } = this.#key;
    return {
      scheme: 'StratifiedScheme',
      classes: examplesIdentity(this.#classes),
      batchSize: this.batchSize,
      seed,
      stage,
    };
  }

  /** The examples of a class come at even distances from one another, from a random first one on, and in random order. */
  #draw(epoch: number): Uint32Array {
    const members = new Map<number, number[]>();
    for (const [example, label] of this.#classes.entries()) {
      const list = members.get(label);
      if (list === undefined) members.set(label, [example]);
      else list.push(example);
    }
    const places = new Float64Array(this.#classes.length);
    for (const [label, examples] of members) {
      const random = new RandomAt(this.#key, epoch, label);
      const first = random.uniform();
      random.shuffle(examples);
      for (const [place, example] of examples.entries()) places[example] = (place + first) / examples.length;
    }
    return Uint32Array.from({ length: places.length }, (_, example) => example).toSorted(
      (one, other) => (places[one] ?? 0) - (places[other] ?? 0) || one - other,
    );
  }
}
