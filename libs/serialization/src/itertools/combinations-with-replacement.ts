import type { StatefulIterator } from '../state.js';
import { IndexTuples } from './index-tuples.js';
import { checkWhole } from './itertool.js';
import { drain, itemAt, type Source } from './iterate.js';

/**
 * Every list of `length` items of the source, each in the order of the source, in which an item may stand several times (CPython:
 * `combinations_with_replacement`).
 *
 * The source is read to its end at once. State: the places of the list given last, and the number of items.
 */
export function combinationsWithReplacement<T>(source: Source<T>, length: number): StatefulIterator<T[]> {
  checkWhole('combinationsWithReplacement', 'length', length, 0);
  return new CombinationsWithReplacement(drain(source), length);
}

class CombinationsWithReplacement<T> extends IndexTuples<T> {
  readonly #size: number;
  readonly #length: number;

  constructor(pool: readonly T[], length: number) {
    super(
      'combinationsWithReplacement',
      Array.from({ length }, () => pool),
    );
    this.#size = pool.length;
    this.#length = length;
  }

  protected first(): readonly number[] | undefined {
    return this.#size === 0 && this.#length > 0 ? undefined : Array.from({ length: this.#length }, () => 0);
  }

  protected after(indices: readonly number[]): readonly number[] | undefined {
    const raised = indices.findLastIndex((index) => index + 1 < this.#size);
    if (raised === -1) return undefined;
    const index = itemAt(indices, raised) + 1;
    return indices.map((before, place) => (place < raised ? before : index));
  }
}
