import type { StatefulIterator } from '../state.js';
import { batched, upTo } from './batched.js';
import { checkWhole, given, OverSource } from './itertool.js';
import { iterate, type Source } from './iterate.js';

/**
 * Lists of `count` items each (picklable-itertools: `partition`). Items at the end that fill none are lost, or with `pad` followed by
 * as many of it as are missing.
 *
 * State: that of the source.
 */
export function partition<T, P = never>(
  count: number,
  source: Source<T>,
  options?: { readonly pad: P },
): StatefulIterator<(T | P)[]> {
  checkWhole('partition', 'count', count, 1);
  return new Partition<T, P>(count, iterate(source), options);
}

/** Lists of `count` items each, the last of which may be shorter (picklable-itertools: `partition_all`): `batched`, as toolz calls it. */
export function partitionAll<T>(count: number, source: Source<T>): StatefulIterator<T[]> {
  return batched(source, count);
}

class Partition<T, P> extends OverSource<T, (T | P)[]> {
  readonly #count: number;
  readonly #options: { readonly pad: P } | undefined;

  constructor(count: number, source: StatefulIterator<T>, options: { readonly pad: P } | undefined) {
    super('partition', source);
    this.#count = count;
    this.#options = options;
  }

  protected advance(): IteratorResult<(T | P)[], undefined> {
    const list: (T | P)[] = upTo(this.#count, this.source);
    if (list.length === 0 || (list.length < this.#count && this.#options === undefined)) return this.end();
    while (list.length < this.#count && this.#options !== undefined) list.push(this.#options.pad);
    return given(list);
  }
}
