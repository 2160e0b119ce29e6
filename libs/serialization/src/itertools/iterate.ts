import { countIn, StateMismatch, type StatefulIterator, type VersionedState } from '../state.js';
import { DONE, given, Itertool } from './itertool.js';

/** Something with items by index: an array, a typed array, a string, a `range`. */
export interface Sequence<T> {
  readonly length: number;
  at(index: number): T | undefined;
}

/** What itertools read from: an iterator with a state, or data, of which only the position is saved. */
export type Source<T> =
  | StatefulIterator<T>
  | readonly T[]
  | Sequence<T>
  /** A `Set` or a `Map`. */
  | (Iterable<T> & { readonly size: number });

/** The sources of a tuple's items. */
export type Sources<A extends readonly unknown[]> = { readonly [K in keyof A]: Source<A[K]> };

/**
 * An iterator over the items of anything that has a position (picklable-itertools: `iter_`).
 *
 * An iterator with a state is given back as it is. A string gives its characters, a `Set` or `Map` what it held when the
 * iteration began, an array or other sequence as many items as it had then. State: the position, and the length, by which
 * a state of other data is refused. The data are not saved: build the iterator over the same ones.
 *
 * @throws TypeError for a generator and other iterators without a state.
 */
export function iterate<T>(source: Source<T>): StatefulIterator<T> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a string is a source of strings only
  if (typeof source === 'string') return new Characters(source) as StatefulIterator<unknown> as StatefulIterator<T>;
  if (typeof source === 'object' && source !== null) {
    if (isStatefulIterator(source)) return source;
    if ('size' in source) return new Items<T>([...source]);
    if (isSequence(source)) return new Items<T>(source);
  }
  throw new TypeError(
    `iterate: a position in ${Object.prototype.toString.call(source)} cannot be saved; ` +
      'give an array, another sequence, or an iterator with state() and restore()',
  );
}

/** Iterators over several sources. */
export function iterateAll<A extends readonly unknown[]>(sources: Sources<A>): readonly StatefulIterator<A[number]>[] {
  return sources.map((source) => iterate<A[number]>(source));
}

/** The item of an index that the sequence is known to have. */
export function itemAt<T>(sequence: Sequence<T>, index: number): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- undefined is an item, too
  return sequence.at(index) as T;
}

/** All items that are left. */
export function drain<T>(source: Source<T>): readonly T[] {
  return [...iterate(source)];
}

class Items<T> extends Itertool<T> {
  readonly #items: Sequence<T>;
  readonly #length: number;
  #position = 0;

  constructor(items: Sequence<T>) {
    super('iterate');
    this.#items = items;
    this.#length = items.length;
  }

  protected advance(): IteratorResult<T, undefined> {
    if (this.#position >= this.#length) return DONE;
    const item = itemAt(this.#items, this.#position);
    this.#position += 1;
    return given(item);
  }

  protected fields() {
    return { position: this.#position, length: this.#length };
  }

  protected load(state: VersionedState): void {
    this.#position = positionIn(state, this.#length);
  }
}

class Characters extends Itertool<string> {
  readonly #text: string;
  /** In units of UTF-16, of which some characters have two. */
  #position = 0;

  constructor(text: string) {
    super('iterate');
    this.#text = text;
  }

  protected advance(): IteratorResult<string, undefined> {
    const code = this.#text.codePointAt(this.#position);
    if (code === undefined) return DONE;
    const character = String.fromCodePoint(code);
    this.#position += character.length;
    return given(character);
  }

  protected fields() {
    return { position: this.#position, length: this.#text.length };
  }

  protected load(state: VersionedState): void {
    this.#position = positionIn(state, this.#text.length);
  }
}

function positionIn(state: VersionedState, length: number): number {
  const position = countIn('iterate', state, 'position');
  const saved = countIn('iterate', state, 'length');
  if (saved === length && position <= length) return position;
  throw new StateMismatch(
    `iterate: the saved state is at ${position} of ${saved} items, but there are ${length}; iterate over the same data as when it was saved`,
  );
}

function isStatefulIterator<T>(source: Source<T>): source is StatefulIterator<T> {
  return 'next' in source && 'state' in source && 'restore' in source;
}

function isSequence<T>(source: Source<T>): source is Sequence<T> {
  return 'length' in source && 'at' in source;
}
