import type { StatefulIterator } from '../state.js';
import { IndexTuples } from './index-tuples.js';
import { checkWhole } from './itertool.js';
import { drain, itemAt, type Source } from './iterate.js';

/**
 * Every list of `length` items of the source at different places, each in the order of the source (CPython: `combinations`).
 *
 * The source is read to its end at once. State: the places of the list given last, and the number of items.
 */
export function combinations<T>(source: Source<T>, length: number): StatefulIterator<T[]> {
  checkWhole('combinations', 'length', length, 0);
  return new Combinations(drain(source), length);
}

class Combinations<T> extends IndexTuples<T> {
  readonly #size: number;
  readonly #length: number;

  constructor(pool: readonly T[], length: number) {
    super(
      'combinations',
      Array.from({ length }, () => pool),
    );
    this.#size = pool.length;
    this.#length = length;
  }

  protected first(): readonly number[] | undefined {
    return this.#length > this.#size ? undefined : Array.from({ length: this.#length }, (_, place) => place);
  }

  protected after(indices: readonly number[]): readonly number[] | undefined {
    const raised = indices.findLastIndex((index, place) => index < this.#size - this.#length + place);
    if (raised === -1) return undefined;
    const base = itemAt(indices, raised) + 1 - raised;
    return indices.map((index, place) => (place < raised ? index : base + place));
  }
}
