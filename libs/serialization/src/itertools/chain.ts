import { countIn, StateMismatch, stateIn, type StatefulIterator, type VersionedState } from '../state.js';
import { DONE, Itertool, restoreSources, statesOf } from './itertool.js';
import { iterate, iterateAll, type Source, type Sources } from './iterate.js';

/**
 * One source after the other (CPython: `chain`).
 *
 * State: those of the sources, and which of them is being read.
 */
export function chain<A extends readonly unknown[]>(...sources: Sources<A>): StatefulIterator<A[number]> {
  return new Chain<A[number]>(iterateAll(sources));
}

/**
 * One after the other of the sources that a source gives, each drawn when the one before is at its end (CPython:
 * `chain.from_iterable`).
 *
 * State: where the source of sources was before it gave the present one, and the state of this. Restoring draws the present one
 * again; so those that are iterators are made as they are drawn, by `map` for instance, not kept in a list.
 */
chain.fromIterable = <T>(sources: Source<Source<T>>): StatefulIterator<T> => new ChainOfDrawn(iterate(sources));

class Chain<T> extends Itertool<T> {
  readonly #sources: readonly StatefulIterator<T>[];
  #index = 0;

  constructor(sources: readonly StatefulIterator<T>[]) {
    super('chain');
    this.#sources = sources;
  }

  protected advance(): IteratorResult<T, undefined> {
    for (;;) {
      const source = this.#sources[this.#index];
      if (source === undefined) return DONE;
      const step = source.next();
      if (!step.done) return step;
      this.#index += 1;
    }
  }

  protected fields() {
    return { index: this.#index, sources: statesOf(this.#sources) };
  }

  protected load(state: VersionedState): void {
    const index = countIn(this.kind, state, 'index');
    restoreSources(this.kind, state, this.#sources);
    this.#index = index;
  }
}

interface Present<T> {
  readonly source: StatefulIterator<T>;
  readonly before: VersionedState;
}

class ChainOfDrawn<T> extends Itertool<T> {
  readonly #sources: StatefulIterator<Source<T>>;
  /** What is being read, and the state of the source of sources before it was drawn. */
  #present: Present<T> | undefined;

  constructor(sources: StatefulIterator<Source<T>>) {
    super('chain.fromIterable');
    this.#sources = sources;
  }

  protected advance(): IteratorResult<T, undefined> {
    for (;;) {
      this.#present ??= this.#draw();
      if (this.#present === undefined) return this.end();
      const step = this.#present.source.next();
      if (!step.done) return step;
      this.#present = undefined;
    }
  }

  #draw(): Present<T> | undefined {
    const before = this.#sources.state();
    const step = this.#sources.next();
    return step.done ? undefined : { source: iterate(step.value), before };
  }

  protected fields() {
    if (this.#present === undefined) return { sources: this.#sources.state(), present: null };
    return { sources: this.#present.before, present: this.#present.source.state() };
  }

  protected load(state: VersionedState): void {
    const present = state['present'] === null ? undefined : stateIn(this.kind, state, 'present');
    this.#sources.restore(stateIn(this.kind, state, 'sources'));
    this.#present = present && this.#draw();
    if (present === undefined) return;
    if (this.#present === undefined) {
      throw new StateMismatch(
        'chain.fromIterable: the saved state is within a source that is not given any more; build it over the same data as when it was saved',
      );
    }
    this.#present.source.restore(present);
  }
}
