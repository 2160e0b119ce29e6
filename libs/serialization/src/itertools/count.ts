import { shown } from '../shown.js';
import { StateMismatch, type StatefulIterator, type VersionedState } from '../state.js';
import { given, Itertool } from './itertool.js';

/**
 * `start`, `start + step`, and so on without end (CPython: `count`). Fractions add up, with the rounding of each addition.
 *
 * State: the next number.
 *
 * @throws RangeError when a whole number cannot be told from its neighbours any more, or a fraction is no number any more
 */
export function count(start = 0, step = 1): StatefulIterator<number> {
  if (!Number.isFinite(start) || !Number.isFinite(step)) {
    throw new RangeError(`count: start is ${start} and step ${step}; give finite numbers`);
  }
  return new Count(start, step);
}

class Count extends Itertool<number> {
  readonly #step: number;
  readonly #whole: boolean;
  #next: number;

  constructor(start: number, step: number) {
    super('count');
    // JSON has no -0.
    this.#next = start + 0;
    this.#step = step;
    this.#whole = Number.isInteger(start) && Number.isInteger(step);
  }

  protected advance(): IteratorResult<number, undefined> {
    const number = this.#next;
    if (this.#whole ? !Number.isSafeInteger(number) : !Number.isFinite(number)) {
      throw new RangeError(`count: ${number} is too large to count on from; begin at a smaller start`);
    }
    this.#next = number + this.#step;
    return given(number);
  }

  protected fields() {
    return { next: Number.isFinite(this.#next) ? this.#next : String(this.#next) };
  }

  protected load(state: VersionedState): void {
    const saved = state['next'];
    const next = typeof saved === 'number' || typeof saved === 'string' ? Number(saved) : Number.NaN;
    if (Number.isNaN(next)) {
      throw new StateMismatch(
        `count: the saved state has next ${shown(saved ?? null)}, which should be a number; the checkpoint is damaged`,
      );
    }
    this.#next = next;
  }
}
