import { flagIn, StateMismatch, stateIn, type StatefulIterator, type VersionedState } from '../state.js';
import { given, Itertool } from './itertool.js';
import { iterate, type Source } from './iterate.js';

/**
 * Pairs of neighbours: `[a, b]`, `[b, c]`, and so on (CPython: `pairwise`).
 *
 * State: that of the source before the item that begins the next pair. Restoring reads this item again.
 */
export function pairwise<T>(source: Source<T>): StatefulIterator<readonly [T, T]> {
  return new Pairwise(iterate(source));
}

class Pairwise<T> extends Itertool<readonly [T, T]> {
  readonly #source: StatefulIterator<T>;
  /** What begins the next pair, and the state of the source before it was drawn. */
  #held: { readonly item: T; readonly before: VersionedState } | undefined;

  constructor(source: StatefulIterator<T>) {
    super('pairwise');
    this.#source = source;
  }

  protected advance(): IteratorResult<readonly [T, T], undefined> {
    this.#held ??= this.#draw();
    if (this.#held === undefined) return this.end();
    const first = this.#held.item;
    this.#held = this.#draw();
    return this.#held === undefined ? this.end() : given([first, this.#held.item]);
  }

  #draw(): { readonly item: T; readonly before: VersionedState } | undefined {
    const before = this.#source.state();
    const step = this.#source.next();
    return step.done ? undefined : { item: step.value, before };
  }

  protected fields() {
    return { source: this.#held?.before ?? this.#source.state(), held: this.#held !== undefined };
  }

  protected load(state: VersionedState): void {
    const held = flagIn(this.kind, state, 'held');
    this.#source.restore(stateIn(this.kind, state, 'source'));
    this.#held = held ? this.#draw() : undefined;
    if (held && this.#held === undefined) {
      throw new StateMismatch(
        'pairwise: the saved state is after an item that the source does not give any more; build it over the same data as when it was saved',
      );
    }
  }
}
