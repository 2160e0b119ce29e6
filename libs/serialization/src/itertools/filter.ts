import type { StatefulIterator } from '../state.js';
import { OverSource } from './itertool.js';
import { iterate, type Source } from './iterate.js';

/** True or false of an item, as JavaScript sees what it gives; null: of the item itself. */
export type Predicate<T> = ((item: T) => unknown) | null;

/**
 * The items for which the predicate is true (CPython: `filter`).
 *
 * State: that of the source.
 */
export function filter<T, S extends T>(predicate: (item: T) => item is S, source: Source<T>): StatefulIterator<S>;
export function filter<T>(predicate: Predicate<T>, source: Source<T>): StatefulIterator<T>;
export function filter<T>(predicate: Predicate<T>, source: Source<T>): StatefulIterator<T> {
  return new Filter('filter', predicate, true, iterate(source));
}

/**
 * The items for which the predicate is false (CPython: `filterfalse`).
 *
 * State: that of the source.
 */
export function filterFalse<T>(predicate: Predicate<T>, source: Source<T>): StatefulIterator<T> {
  return new Filter('filterFalse', predicate, false, iterate(source));
}

class Filter<T> extends OverSource<T, T> {
  readonly #predicate: (item: T) => unknown;
  readonly #wanted: boolean;

  constructor(kind: string, predicate: Predicate<T>, wanted: boolean, source: StatefulIterator<T>) {
    super(kind, source);
    this.#predicate = predicate ?? ((item) => item);
    this.#wanted = wanted;
  }

  protected advance(): IteratorResult<T, undefined> {
    for (;;) {
      const step = this.source.next();
      if (step.done || Boolean(this.#predicate(step.value)) === this.#wanted) return step;
    }
  }
}
