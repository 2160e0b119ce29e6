import { countsIn, StateMismatch, type VersionedState } from '../state.js';
import { given, Itertool } from './itertool.js';
import { itemAt } from './iterate.js';

/**
 * Lists of one item of each pool, in the order of their indices: what `product`, `permutations` and the combinations are.
 *
 * State: the indices of the list given last, and the sizes of the pools; no items.
 */
export abstract class IndexTuples<T> extends Itertool<T[]> {
  readonly #pools: readonly (readonly T[])[];
  /** Those of the list given last; undefined before the first. */
  #indices: readonly number[] | undefined;

  constructor(kind: string, pools: readonly (readonly T[])[]) {
    super(kind);
    this.#pools = pools;
  }

  /** The indices of the first list, if there is one. */
  protected abstract first(): readonly number[] | undefined;

  /** The indices of the list after another, if there is one. */
  protected abstract after(indices: readonly number[]): readonly number[] | undefined;

  protected advance(): IteratorResult<T[], undefined> {
    const indices = this.#indices === undefined ? this.first() : this.after(this.#indices);
    if (indices === undefined) return this.end();
    this.#indices = indices;
    return given(this.#pools.map((pool, place) => itemAt(pool, itemAt(indices, place))));
  }

  protected fields() {
    return { indices: this.#indices ?? null, sizes: this.#sizes() };
  }

  protected load(state: VersionedState): void {
    const sizes = countsIn(this.kind, state, 'sizes');
    const indices = state['indices'] === null ? undefined : countsIn(this.kind, state, 'indices');
    const present = this.#sizes();
    if (sizes.join() !== present.join()) {
      throw new StateMismatch(
        `${this.kind}: the saved state is of pools of ${sizes.join(', ') || 'no'} items, but these have ${present.join(', ') || 'none'}; ` +
          'build it over the same data as when it was saved',
      );
    }
    if (indices !== undefined && !fits(indices, sizes)) {
      throw new StateMismatch(
        `${this.kind}: the saved state has indices ${indices.join(', ')} into pools of ${sizes.join(', ')}; the checkpoint is damaged`,
      );
    }
    this.#indices = indices;
  }

  #sizes(): number[] {
    return this.#pools.map((pool) => pool.length);
  }
}

function fits(indices: readonly number[], sizes: readonly number[]): boolean {
  return indices.length === sizes.length && indices.every((index, place) => index < itemAt(sizes, place));
}
