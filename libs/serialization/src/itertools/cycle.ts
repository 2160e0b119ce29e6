import { countIn, flagIn, StateMismatch, stateIn, type StatefulIterator, type VersionedState } from '../state.js';
import { DONE, given, Itertool } from './itertool.js';
import { itemAt, iterate, type Source } from './iterate.js';

/**
 * The items of a source again and again (CPython: `cycle`). The source is read once; its items are kept in memory.
 *
 * State: that of the source at its beginning, how many items were read, and the position; no items. Restoring reads these again,
 * so that nobody else may read the source.
 */
export function cycle<T>(source: Source<T>): StatefulIterator<T> {
  return new Cycle(iterate(source));
}

class Cycle<T> extends Itertool<T> {
  readonly #source: StatefulIterator<T>;
  readonly #start: VersionedState;
  #kept: T[] = [];
  /** True when the source is at its end. */
  #whole = false;
  #position = 0;

  constructor(source: StatefulIterator<T>) {
    super('cycle');
    this.#source = source;
    this.#start = source.state();
  }

  protected advance(): IteratorResult<T, undefined> {
    if (!this.#whole) {
      const step = this.#source.next();
      if (!step.done) {
        this.#kept.push(step.value);
        return step;
      }
      this.#whole = true;
    }
    if (this.#kept.length === 0) return DONE;
    const item = itemAt(this.#kept, this.#position);
    this.#position = (this.#position + 1) % this.#kept.length;
    return given(item);
  }

  protected fields() {
    return { source: this.#start, read: this.#kept.length, whole: this.#whole, position: this.#position };
  }

  protected load(state: VersionedState): void {
    const read = countIn(this.kind, state, 'read');
    const whole = flagIn(this.kind, state, 'whole');
    const position = countIn(this.kind, state, 'position');
    this.#source.restore(stateIn(this.kind, state, 'source'));
    const kept: T[] = [];
    while (kept.length < read) {
      const step = this.#source.next();
      if (step.done) break;
      kept.push(step.value);
    }
    if (kept.length < read || (whole && !this.#source.next().done)) {
      throw new StateMismatch(
        `cycle: the saved state is of a source of ${whole ? '' : 'at least '}${read} items, but this one has ${
          kept.length < read ? kept.length : 'more'
        }; build it over the same data as when it was saved`,
      );
    }
    this.#kept = kept;
    this.#whole = whole;
    this.#position = position;
  }
}
