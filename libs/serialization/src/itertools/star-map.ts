import { stateIn, type StatefulIterator, type VersionedState } from '../state.js';
import { given, Itertool } from './itertool.js';
import { iterate, type Source } from './iterate.js';

/**
 * `func(...items)` for each list that the source gives (CPython: `starmap`).
 *
 * State: that of the source.
 */
export function starMap<A extends readonly unknown[], R>(
  func: (...items: A) => R,
  source: Source<A>,
): StatefulIterator<R> {
  return new StarMap(func, iterate(source));
}

class StarMap<A extends readonly unknown[], R> extends Itertool<R> {
  readonly #func: (...items: A) => R;
  readonly #source: StatefulIterator<A>;

  constructor(func: (...items: A) => R, source: StatefulIterator<A>) {
    super('starMap');
    this.#func = func;
    this.#source = source;
  }

  protected advance(): IteratorResult<R, undefined> {
    const step = this.#source.next();
    return step.done ? step : given(this.#func(...step.value));
  }

  protected fields() {
    return { source: this.#source.state() };
  }

  protected load(state: VersionedState): void {
    this.#source.restore(stateIn(this.kind, state, 'source'));
  }
}
