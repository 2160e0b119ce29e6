import { countsIn, StateMismatch, type StatefulIterator, type VersionedState } from '../state.js';
import { DONE, Itertool, restoreSources, statesOf } from './itertool.js';
import { iterateAll, type Sources } from './iterate.js';

/** What ends a source beside its end. */
export interface InterleaveOptions {
  /** Classes of errors: a source that throws one has ended. Default none. */
  readonly passExceptions?: readonly (abstract new (...parameters: never[]) => unknown)[];
}

/**
 * An item of each source in turn; those that have ended are passed over (picklable-itertools: `interleave`).
 *
 * State: those of the sources, and in which order they come next.
 */
export function interleave<A extends readonly unknown[]>(
  sources: Sources<A>,
  options: InterleaveOptions = {},
): StatefulIterator<A[number]> {
  return new Interleave<A[number]>(iterateAll(sources), options.passExceptions ?? []);
}

/** `interleave` of its arguments (CPython's recipe `roundrobin`). */
export function roundRobin<A extends readonly unknown[]>(...sources: Sources<A>): StatefulIterator<A[number]> {
  return interleave(sources);
}

class Interleave<T> extends Itertool<T> {
  readonly #sources: readonly StatefulIterator<T>[];
  readonly #passed: NonNullable<InterleaveOptions['passExceptions']>;
  /** Indices of the sources that have not ended; the first is the next to be asked. */
  #turns: number[];

  constructor(sources: readonly StatefulIterator<T>[], passed: NonNullable<InterleaveOptions['passExceptions']>) {
    super('interleave');
    this.#sources = sources;
    this.#passed = passed;
    this.#turns = [...sources.keys()];
  }

  protected advance(): IteratorResult<T, undefined> {
    for (;;) {
      const [turn, ...others] = this.#turns;
      const source = turn === undefined ? undefined : this.#sources[turn];
      if (turn === undefined || source === undefined) return DONE;
      const step = this.#ask(source);
      this.#turns = step.done ? others : [...others, turn];
      if (!step.done) return step;
    }
  }

  #ask(source: StatefulIterator<T>): IteratorResult<T, undefined> {
    try {
      return source.next();
    } catch (error) {
      if (this.#passed.some((kind) => error instanceof kind)) return DONE;
      throw error;
    }
  }

  protected fields() {
    return { sources: statesOf(this.#sources), turns: this.#turns };
  }

  protected load(state: VersionedState): void {
    const turns = countsIn(this.kind, state, 'turns');
    if (turns.some((turn) => turn >= this.#sources.length)) {
      throw new StateMismatch(
        `interleave: the saved state has turns ${turns.join(', ')}, but there are ${this.#sources.length} sources; ` +
          'build it of the same sources as when it was saved',
      );
    }
    restoreSources(this.kind, state, this.#sources);
    this.#turns = [...turns];
  }
}
