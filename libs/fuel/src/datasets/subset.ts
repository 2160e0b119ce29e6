import type { RowRange } from '../arrays/rows.js';
import type { Request } from '../schemes/iteration-scheme.js';

/**
 * Rows of a source that make up a dataset (Fuel: `Subset`). A list is sorted and freed of doubles, and becomes a range when its
 * rows lie next to each other.
 */
export class Subset {
  readonly length: number;
  readonly #rows: RowRange | Uint32Array;

  private constructor(rows: RowRange | Uint32Array) {
    this.#rows = rows;
    this.length = rows instanceof Uint32Array ? rows.length : rows.stop - rows.start;
  }

  /** @throws RangeError for a range that does not lie in the `available` rows */
  static range(start: number, stop: number, available: number): Subset {
    const whole = Number.isSafeInteger(start) && Number.isSafeInteger(stop);
    if (!whole || start < 0 || stop < start || stop > available) {
      throw new RangeError(`Subset: rows ${start} to ${stop} do not lie in the ${available} rows there are`);
    }
    return new Subset({ start, stop });
  }

  /** @throws RangeError for a row that is not one of the `available` ones */
  static list(rows: ArrayLike<number>, available: number): Subset {
    for (let i = 0; i < rows.length; i += 1) {
      const row = rows[i] ?? -1;
      if (!Number.isSafeInteger(row) || row < 0 || row >= available) {
        throw new RangeError(`Subset: row ${rows[i]} is not one of the ${available} rows there are, numbered from 0`);
      }
    }
    return Subset.#sorted(Uint32Array.from(rows).toSorted());
  }

  /** The rows of both, each once (Fuel: `Subset.__add__`). */
  union(other: Subset): Subset {
    const a = this.#rows;
    const b = other.#rows;
    if (this.length === 0) return other;
    if (other.length === 0) return this;
    if (!(a instanceof Uint32Array) && !(b instanceof Uint32Array) && a.start <= b.stop && b.start <= a.stop) {
      return new Subset({ start: Math.min(a.start, b.start), stop: Math.max(a.stop, b.stop) });
    }
    const joined = new Uint32Array(this.length + other.length);
    joined.set(this.#listed());
    joined.set(other.#listed(), this.length);
    return Subset.#sorted(joined.toSorted());
  }

  /**
   * A subset of this subset: `part` counts within it.
   *
   * @throws RangeError for a part that goes beyond it
   */
  select(part: Subset): Subset {
    if (part.#rows instanceof Uint32Array || this.#rows instanceof Uint32Array) {
      return Subset.#sorted(part.#listed().map((index) => this.#row(index)));
    }
    if (part.length > 0) this.#check(part.#rows.stop - 1);
    const { start } = this.#rows;
    return new Subset({ start: start + part.#rows.start, stop: start + part.#rows.stop });
  }

  /**
   * The rows that a request for indices of the subset means.
   *
   * @throws RangeError for an index outside of the subset
   */
  rowsOf(request: Request): Request {
    if (typeof request === 'number') return this.#row(request);
    if (request instanceof Uint32Array) {
      if (this.#rows instanceof Uint32Array || this.#rows.start > 0) return request.map((index) => this.#row(index));
      for (const index of request) this.#check(index);
      return request;
    }
    const { start, stop } = request;
    if (stop > start) {
      this.#check(start);
      this.#check(stop - 1);
    }
    if (this.#rows instanceof Uint32Array) return this.#rows.slice(start, stop);
    return { start: this.#rows.start + start, stop: this.#rows.start + stop };
  }

  #row(index: number): number {
    const rows = this.#rows;
    const row = rows instanceof Uint32Array ? rows[index] : rows.start + index;
    if (row === undefined || !this.#has(index)) throw this.#without(index);
    return row;
  }

  #check(index: number): void {
    if (!this.#has(index)) throw this.#without(index);
  }

  #has(index: number): boolean {
    return Number.isSafeInteger(index) && index >= 0 && index < this.length;
  }

  #without(index: number): RangeError {
    return new RangeError(`Example ${index} was asked for, but there are ${this.length} examples, numbered from 0`);
  }

  #listed(): Uint32Array {
    if (this.#rows instanceof Uint32Array) return this.#rows;
    const { start } = this.#rows;
    return Uint32Array.from({ length: this.length }, (_, i) => start + i);
  }

  static #sorted(rows: Uint32Array): Subset {
    const unique = rows.filter((row, i) => i === 0 || row !== rows[i - 1]);
    const [first] = unique;
    if (first === undefined) return new Subset({ start: 0, stop: 0 });
    const adjoining = unique[unique.length - 1] === first + unique.length - 1;
    return new Subset(adjoining ? { start: first, stop: first + unique.length } : unique);
  }
}
