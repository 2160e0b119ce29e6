import { stateIn, type StatefulIterator, type VersionedState } from '../state.js';
import { Itertool } from './itertool.js';
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

class TakeWhile<T> extends Itertool<T> {
  readonly #predicate: (item: T) => unknown;
  readonly #source: StatefulIterator<T>;

  constructor(predicate: (item: T) => unknown, source: StatefulIterator<T>) {
    super('takeWhile');
    this.#predicate = predicate;
    this.#source = source;
  }

  protected advance(): IteratorResult<T, undefined> {
    const step = this.#source.next();
    if (step.done || this.#predicate(step.value)) return step;
    return this.end();
  }

  protected fields() {
    return { source: this.#source.state() };
  }

  protected load(state: VersionedState): void {
    this.#source.restore(stateIn(this.kind, state, 'source'));
  }
}
