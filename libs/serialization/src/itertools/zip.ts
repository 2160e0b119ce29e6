import type { StatefulIterator } from '../state.js';
import { DONE, given, OverSources } from './itertool.js';
import { iterateAll, type Sources } from './iterate.js';

/**
 * Lists of one item of each source, until one ends (CPython: `zip`). What was drawn from the sources before that one is lost.
 * Without sources it gives nothing.
 *
 * State: those of the sources.
 */
export function zip<A extends readonly unknown[]>(...sources: Sources<A>): StatefulIterator<A> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a row has an item of each source
  return new Zip(iterateAll(sources)) as StatefulIterator<unknown> as StatefulIterator<A>;
}

/** An item of each source, asked from left to right; undefined as soon as one has none. */
export function nextRow(sources: readonly StatefulIterator<unknown>[]): unknown[] | undefined {
  const row: unknown[] = [];
  for (const source of sources) {
    const step = source.next();
    if (step.done) return undefined;
    row.push(step.value);
  }
  return row;
}

class Zip extends OverSources<readonly unknown[]> {
  constructor(sources: readonly StatefulIterator<unknown>[]) {
    super('zip', sources);
  }

  protected advance(): IteratorResult<readonly unknown[], undefined> {
    if (this.sources.length === 0) return DONE;
    const row = nextRow(this.sources);
    return row === undefined ? DONE : given(row);
  }
}
