import { StateKind } from '../state-kind.js';
import { type Json, stateIn, type StatefulIterator, statesIn, type VersionedState } from '../state.js';

/** What `next()` gives at the end. */
export const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/** What `next()` gives before. */
export function given<T>(value: T): IteratorYieldResult<T> {
  return { done: false, value };
}

/**
 * An iterator made of others (picklable-itertools: `BaseItertool`).
 *
 * Its state has a version, its kind, `ended` once it asks its sources no more, and the fields that the class adds: the
 * states of its sources, and nothing that grows with the number of items given unless the class says so. Functions are no
 * part of it: an iterator is restored into one that is built with the same functions over the same data. These are asked
 * again for an item that was drawn and not yet given, so they give the same for the same.
 *
 * `restore` throws {@link StateMismatch} for a state of another kind, and then leaves this iterator and its sources as they were.
 */
export abstract class Itertool<T> implements StatefulIterator<T> {
  protected readonly kind: string;
  readonly #stateKind: StateKind;
  #ended = false;

  /** @param kind the name that stands in states and errors; the kind itself where there are states of earlier versions */
  constructor(kind: string | StateKind) {
    this.#stateKind = typeof kind === 'string' ? new StateKind(kind) : kind;
    this.kind = this.#stateKind.name;
  }

  next(): IteratorResult<T, undefined> {
    return this.#ended ? DONE : this.advance();
  }

  [Symbol.iterator](): this {
    return this;
  }

  state(): VersionedState {
    return { ...this.#stateKind.head, ...(this.#ended ? { ended: true } : {}), ...this.fields() };
  }

  restore(state: VersionedState): void {
    const read = this.#stateKind.read(state);
    const before = this.state();
    try {
      this.#load(read);
    } catch (error) {
      this.#load(before);
      throw error;
    }
  }

  /** The next item. Not called any more after `end()`. */
  protected abstract advance(): IteratorResult<T, undefined>;

  /** The state beside version, kind and end. */
  protected abstract fields(): { readonly [key: string]: Json };

  /** Takes over the fields of a state of the right kind. What it leaves half done when it throws, it can load over. */
  protected abstract load(state: VersionedState): void;

  /** The end for good, whatever the sources would still give. */
  protected end(): IteratorReturnResult<undefined> {
    this.#ended = true;
    return DONE;
  }

  #load(state: VersionedState): void {
    this.load(state);
    this.#ended = state['ended'] === true;
  }
}

/** One over a source of which the state is all that there is to save. */
export abstract class OverSource<S, T> extends Itertool<T> {
  protected readonly source: StatefulIterator<S>;

  constructor(kind: string, source: StatefulIterator<S>) {
    super(kind);
    this.source = source;
  }

  protected fields() {
    return { source: this.source.state() };
  }

  protected load(state: VersionedState): void {
    this.source.restore(stateIn(this.kind, state, 'source'));
  }
}

/** One over several sources of which the states are all that there is to save. */
export abstract class OverSources<T> extends Itertool<T> {
  protected readonly sources: readonly StatefulIterator<unknown>[];

  constructor(kind: string, sources: readonly StatefulIterator<unknown>[]) {
    super(kind);
    this.sources = sources;
  }

  protected fields() {
    return { sources: statesOf(this.sources) };
  }

  protected load(state: VersionedState): void {
    restoreSources(this.kind, state, this.sources);
  }
}

/** The states of several sources. */
export function statesOf(sources: readonly StatefulIterator<unknown>[]): readonly VersionedState[] {
  return sources.map((source) => source.state());
}

/** Puts the states that stand in `sources` back into as many iterators. */
export function restoreSources(
  kind: string,
  state: VersionedState,
  sources: readonly StatefulIterator<unknown>[],
): void {
  const states = statesIn(kind, state, 'sources', sources.length);
  for (const [index, saved] of states.entries()) sources[index]?.restore(saved);
}

/** @throws RangeError unless the argument is a whole number of at least `least`. */
export function checkWhole(kind: string, argument: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RangeError(`${kind}: ${argument} is ${value}; give a whole number of at least ${least}`);
}
