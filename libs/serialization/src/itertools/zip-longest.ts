import { countsIn, type StatefulIterator, type VersionedState } from '../state.js';
import { DONE, given, Itertool, restoreSources, statesOf } from './itertool.js';
import { iterateAll, type Sources } from './iterate.js';

/**
 * Lists of one item of each source, until all have ended (CPython: `zip_longest`). `fillValue`, undefined by default, stands
 * for the items of those that have ended before.
 *
 * State: those of the sources, and which have ended.
 */
export function zipLongest<A extends readonly unknown[], F = undefined>(
  sources: Sources<A>,
  options: { readonly fillValue?: F } = {},
): StatefulIterator<{ [K in keyof A]: A[K] | F }> {
  const rows = new ZipLongest(iterateAll(sources), options.fillValue);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a row has an item of each source, or the fill value
  return rows as StatefulIterator<unknown> as StatefulIterator<{ [K in keyof A]: A[K] | F }>;
}

class ZipLongest extends Itertool<readonly unknown[]> {
  readonly #sources: readonly StatefulIterator<unknown>[];
  readonly #fillValue: unknown;
  /** Indices of the sources that are not asked any more. */
  #over = new Set<number>();

  constructor(sources: readonly StatefulIterator<unknown>[], fillValue: unknown) {
    super('zipLongest');
    this.#sources = sources;
    this.#fillValue = fillValue;
  }

  protected advance(): IteratorResult<readonly unknown[], undefined> {
    if (this.#over.size === this.#sources.length) return DONE;
    const row: unknown[] = [];
    for (const [index, source] of this.#sources.entries()) {
      const step = this.#over.has(index) ? DONE : source.next();
      row.push(step.done ? this.#fillValue : step.value);
      if (step.done) this.#over.add(index);
      if (this.#over.size === this.#sources.length) return DONE;
    }
    return given(row);
  }

  protected fields() {
    return { sources: statesOf(this.#sources), over: [...this.#over] };
  }

  protected load(state: VersionedState): void {
    const over = countsIn(this.kind, state, 'over');
    restoreSources(this.kind, state, this.#sources);
    this.#over = new Set(over);
  }
}
