import type { StatefulIterator, VersionedState } from '../state.js';
import { DONE, Itertool, restoreSources, statesOf } from './itertool.js';
import { iterate, type Source } from './iterate.js';

/**
 * The items whose selector is true as JavaScript sees it (CPython: `compress`), until either source ends.
 *
 * State: those of the two sources.
 */
export function compress<T>(source: Source<T>, selectors: Source<unknown>): StatefulIterator<T> {
  return new Compress(iterate(source), iterate(selectors));
}

class Compress<T> extends Itertool<T> {
  readonly #source: StatefulIterator<T>;
  readonly #selectors: StatefulIterator<unknown>;

  constructor(source: StatefulIterator<T>, selectors: StatefulIterator<unknown>) {
    super('compress');
    this.#source = source;
    this.#selectors = selectors;
  }

  protected advance(): IteratorResult<T, undefined> {
    for (;;) {
      const step = this.#source.next();
      if (step.done) return DONE;
      const selector = this.#selectors.next();
      if (selector.done) return DONE;
      if (selector.value) return step;
    }
  }

  protected fields() {
    return { sources: statesOf([this.#source, this.#selectors]) };
  }

  protected load(state: VersionedState): void {
    restoreSources(this.kind, state, [this.#source, this.#selectors]);
  }
}
