import type { StatefulIterator } from '../state.js';
import { DONE, given, OverSources } from './itertool.js';
import { iterateAll, type Sources } from './iterate.js';
import { nextRow } from './zip.js';

/**
 * `func(a, b, …)` for an item of each source at a time, until one ends (CPython: `map`). Without a function (null), lists of the
 * items (Python 2: `imap`).
 *
 * State: those of the sources.
 *
 * @throws TypeError without sources
 */
export function map<A extends readonly unknown[], R>(
  func: (...items: NoInfer<A>) => R,
  ...sources: Sources<A>
): StatefulIterator<R>;
export function map<A extends readonly unknown[]>(func: null, ...sources: Sources<A>): StatefulIterator<A>;
export function map(
  func: ((...items: readonly never[]) => unknown) | null,
  ...sources: Sources<readonly unknown[]>
): StatefulIterator<unknown> {
  if (sources.length === 0) throw new TypeError('map: there are no sources; give at least one');
  return new Mapped(
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the overloads say that the sources give what it takes
    (func ?? ((...items: readonly unknown[]) => items)) as (...items: readonly unknown[]) => unknown,
    iterateAll(sources),
  );
}

class Mapped extends OverSources<unknown> {
  readonly #func: (...items: readonly unknown[]) => unknown;

  constructor(func: (...items: readonly unknown[]) => unknown, sources: readonly StatefulIterator<unknown>[]) {
    super('map', sources);
    this.#func = func;
  }

  protected advance(): IteratorResult<unknown, undefined> {
    const items = nextRow(this.sources);
    return items === undefined ? DONE : given(this.#func(...items));
  }
}
