import type { StatefulIterator } from '../state.js';
import { OverSource } from './itertool.js';
import { iterate, type Source } from './iterate.js';

/**
 * The items before the first for which the predicate is false (CPython: `takewhile`). This one is drawn from the source, too,
 * and lost; then it is the end for good.
 *
 * State: that of the source, and whether this is the end.
 */
export function takeWhile<T>(predicate: (item: T) => unknown, source: Source<T>): StatefulIterator<T> {
  return new TakeWhile(predicate, iterate(source));
}

class TakeWhile<T> extends OverSource<T, T> {
  readonly #predicate: (item: T) => unknown;

  constructor(predicate: (item: T) => unknown, source: StatefulIterator<T>) {
    super('takeWhile', source);
    this.#predicate = predicate;
  }

  protected advance(): IteratorResult<T, undefined> {
    const step = this.source.next();
    if (step.done || this.#predicate(step.value)) return step;
    return this.end();
  }
}
