import type { StatefulIterator } from '../state.js';
import { checkWhole, given, OverSource } from './itertool.js';
import { iterate, type Source } from './iterate.js';

/** How batches are made. */
export interface BatchedOptions {
  /** True: a last batch of fewer items is an error. Default false: it is given. */
  readonly strict?: boolean;
}

/**
 * Lists of `count` items each (CPython 3.13: `batched`).
 *
 * State: that of the source.
 *
 * @throws RangeError if the items do not fill the last batch and `strict` is set
 */
export function batched<T>(source: Source<T>, count: number, options: BatchedOptions = {}): StatefulIterator<T[]> {
  checkWhole('batched', 'count', count, 1);
  return new Batched(iterate(source), count, options.strict ?? false);
}

/** The next items, `count` of them or as many as there are. */
export function upTo<T>(count: number, source: StatefulIterator<T>): T[] {
  const items: T[] = [];
  while (items.length < count) {
    const step = source.next();
    if (step.done) break;
    items.push(step.value);
  }
  return items;
}

class Batched<T> extends OverSource<T, T[]> {
  readonly #count: number;
  readonly #strict: boolean;

  constructor(source: StatefulIterator<T>, count: number, strict: boolean) {
    super('batched', source);
    this.#count = count;
    this.#strict = strict;
  }

  protected advance(): IteratorResult<T[], undefined> {
    const batch = upTo(this.#count, this.source);
    if (batch.length === 0) return this.end();
    if (batch.length < this.#count && this.#strict) {
      this.end();
      throw new RangeError(
        `batched: the items ran out after ${batch.length} of a batch of ${this.#count}; ` +
          'choose a count that divides their number, or leave strict out',
      );
    }
    return given(batch);
  }
}
