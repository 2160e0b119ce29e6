import { countIn, type StatefulIterator, type VersionedState } from '../state.js';
import { checkWhole, DONE, given, Itertool } from './itertool.js';

/**
 * One value without end, or `times` times (CPython: `repeat`).
 *
 * State: how often it was given; not the value.
 */
export function repeat<T>(value: T, times?: number): StatefulIterator<T> {
  if (times !== undefined) checkWhole('repeat', 'times', times, 0);
  return new Repeat(value, times ?? Number.POSITIVE_INFINITY);
}

class Repeat<T> extends Itertool<T> {
  readonly #value: T;
  readonly #times: number;
  #given = 0;

  constructor(value: T, times: number) {
    super('repeat');
    this.#value = value;
    this.#times = times;
  }

  protected advance(): IteratorResult<T, undefined> {
    if (this.#given >= this.#times) return DONE;
    this.#given += 1;
    return given(this.#value);
  }

  protected fields() {
    return { given: this.#given };
  }

  protected load(state: VersionedState): void {
    this.#given = countIn(this.kind, state, 'given');
  }
}
