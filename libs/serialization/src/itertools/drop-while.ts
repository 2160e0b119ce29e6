import { flagIn, stateIn, type StatefulIterator, type VersionedState } from '../state.js';
import { Itertool } from './itertool.js';
import { iterate, type Source } from './iterate.js';

/**
 * All items from the first on for which the predicate is false (CPython: `dropwhile`).
 *
 * State: that of the source, and whether there was such an item.
 */
export function dropWhile<T>(predicate: (item: T) => unknown, source: Source<T>): StatefulIterator<T> {
  return new DropWhile(predicate, iterate(source));
}

class DropWhile<T> extends Itertool<T> {
  readonly #predicate: (item: T) => unknown;
  readonly #source: StatefulIterator<T>;
  #dropping = true;

  constructor(predicate: (item: T) => unknown, source: StatefulIterator<T>) {
    super('dropWhile');
    this.#predicate = predicate;
    this.#source = source;
  }

  protected advance(): IteratorResult<T, undefined> {
    for (;;) {
      const step = this.#source.next();
      if (step.done || !this.#dropping) return step;
      if (this.#predicate(step.value)) continue;
      this.#dropping = false;
      return step;
    }
  }

  protected fields() {
    return { source: this.#source.state(), dropping: this.#dropping };
  }

  protected load(state: VersionedState): void {
    const dropping = flagIn(this.kind, state, 'dropping');
    this.#source.restore(stateIn(this.kind, state, 'source'));
    this.#dropping = dropping;
  }
}
