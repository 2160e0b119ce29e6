import type { StatefulIterator } from '../state.js';
import { given, OverSource } from './itertool.js';
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

class StarMap<A extends readonly unknown[], R> extends OverSource<A, R> {
  readonly #func: (...items: A) => R;

  constructor(func: (...items: A) => R, source: StatefulIterator<A>) {
    super('starMap', source);
    this.#func = func;
  }

  protected advance(): IteratorResult<R, undefined> {
    const step = this.source.next();
    return step.done ? step : given(this.#func(...step.value));
  }
}
