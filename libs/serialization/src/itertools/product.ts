import type { StatefulIterator } from '../state.js';
import { IndexTuples } from './index-tuples.js';
import { checkWhole } from './itertool.js';
import { drain, itemAt, type Sources } from './iterate.js';

/**
 * Every list of one item of each source, the last changing fastest (CPython: `product`). With `repeat`, as if the sources were
 * written so many times.
 *
 * The sources are read to their ends at once, unless `repeat` is 0. State: an index for each item of a list, and the number of items of each source.
 */
export function product<A extends readonly unknown[]>(sources: Sources<A>): StatefulIterator<A>;
export function product<A extends readonly unknown[]>(
  sources: Sources<A>,
  options: { readonly repeat: number },
): StatefulIterator<A[number][]>;
export function product(
  sources: Sources<readonly unknown[]>,
  options: { readonly repeat: number } = { repeat: 1 },
): StatefulIterator<unknown[]> {
  checkWhole('product', 'repeat', options.repeat, 0);
  const pools = options.repeat === 0 ? [] : sources.map((source) => drain(source));
  return new Product(Array.from({ length: options.repeat }, () => pools).flat());
}

class Product extends IndexTuples<unknown> {
  readonly #sizes: readonly number[];

  constructor(pools: readonly (readonly unknown[])[]) {
    super('product', pools);
    this.#sizes = pools.map((pool) => pool.length);
  }

  protected first(): readonly number[] | undefined {
    return this.#sizes.includes(0) ? undefined : this.#sizes.map(() => 0);
  }

  protected after(indices: readonly number[]): readonly number[] | undefined {
    const raised = indices.findLastIndex((index, place) => index + 1 < itemAt(this.#sizes, place));
    if (raised === -1) return undefined;
    return indices.map((index, place) => (place < raised ? index : place === raised ? index + 1 : 0));
  }
}
