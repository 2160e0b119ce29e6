import type { StatefulIterator } from '../state.js';
import { IndexTuples } from './index-tuples.js';
import { checkWhole } from './itertool.js';
import { drain, type Source } from './iterate.js';

/**
 * Every list of `length` items of the source at different places, in the order of these; by default of all (CPython:
 * `permutations`).
 *
 * The source is read to its end at once. State: the places of the list given last, and the number of items.
 */
export function permutations<T>(source: Source<T>, length?: number): StatefulIterator<T[]> {
  if (length !== undefined) checkWhole('permutations', 'length', length, 0);
  const pool = drain(source);
  return new Permutations(pool, length ?? pool.length);
}

class Permutations<T> extends IndexTuples<T> {
  readonly #size: number;
  readonly #length: number;

  constructor(pool: readonly T[], length: number) {
    super(
      'permutations',
      Array.from({ length }, () => pool),
    );
    this.#size = pool.length;
    this.#length = length;
  }

  protected first(): readonly number[] | undefined {
    return this.#length > this.#size ? undefined : this.#completed([]);
  }

  protected after(indices: readonly number[]): readonly number[] | undefined {
    const free = new Set(Array.from({ length: this.#size }, (_, index) => index));
    for (const index of indices) free.delete(index);
    for (const [place, index] of [...indices.entries()].toReversed()) {
      const larger = [...free].filter((other) => other > index);
      if (larger.length > 0) return this.#completed([...indices.slice(0, place), Math.min(...larger)]);
      free.add(index);
    }
    return undefined;
  }

  /** The first of the permutations that begin with these indices. */
  #completed(indices: readonly number[]): readonly number[] {
    const used = new Set(indices);
    const completed = [...indices];
    for (let index = 0; completed.length < this.#length; index += 1) if (!used.has(index)) completed.push(index);
    return completed;
  }
}
