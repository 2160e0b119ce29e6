import { countIn, stateIn, type StatefulIterator, type VersionedState } from '../state.js';
import { checkWhole, given, Itertool } from './itertool.js';
import { iterate, type Source } from './iterate.js';

/** `stop`, or `start, stop, step` with null for the default: from 0, to the end, by 1. */
export type SliceBounds =
  | readonly [stop: number | null]
  | readonly [start: number | null, stop: number | null, step?: number | null];

/**
 * Items `start`, `start + step`, and so on before `stop` (CPython: `islice`). Nothing is drawn before it is asked for; at the end
 * of a slice the items before `start` or `stop` were drawn, and none after it.
 *
 * State: that of the source, the number of items drawn, and the index of the next one to give.
 *
 * @throws RangeError for a bound that is negative or no whole number, and a step below 1
 */
export function islice<T>(source: Source<T>, ...bounds: SliceBounds): StatefulIterator<T> {
  const [start, stop, step] = bounds.length === 1 ? [null, bounds[0]] : bounds;
  checkWhole('islice', 'start', start ?? 0, 0);
  checkWhole('islice', 'stop', stop ?? 0, 0);
  checkWhole('islice', 'step', step ?? 1, 1);
  return new Slice(iterate(source), start ?? 0, stop ?? Number.POSITIVE_INFINITY, step ?? 1);
}

class Slice<T> extends Itertool<T> {
  readonly #source: StatefulIterator<T>;
  readonly #stop: number;
  readonly #step: number;
  #drawn = 0;
  #wanted: number;

  constructor(source: StatefulIterator<T>, start: number, stop: number, step: number) {
    super('islice');
    this.#source = source;
    this.#wanted = start;
    this.#stop = stop;
    this.#step = step;
  }

  protected advance(): IteratorResult<T, undefined> {
    while (this.#drawn < this.#wanted) {
      if (this.#source.next().done) return this.end();
      this.#drawn += 1;
    }
    if (this.#drawn >= this.#stop) return this.end();
    const step = this.#source.next();
    if (step.done) return this.end();
    this.#drawn += 1;
    this.#wanted = Math.min(this.#wanted + this.#step, this.#stop);
    return given(step.value);
  }

  protected fields() {
    return { source: this.#source.state(), drawn: this.#drawn, wanted: this.#wanted };
  }

  protected load(state: VersionedState): void {
    const drawn = countIn(this.kind, state, 'drawn');
    const wanted = countIn(this.kind, state, 'wanted');
    this.#source.restore(stateIn(this.kind, state, 'source'));
    this.#drawn = drawn;
    this.#wanted = wanted;
  }
}
