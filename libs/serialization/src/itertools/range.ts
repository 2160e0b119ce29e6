import type { StatefulIterator } from '../state.js';
import { iterate, type Sequence } from './iterate.js';

/** `stop`, or `start, stop, step`; from 0 and by 1 where they are left out. */
export type RangeBounds = readonly [stop: number] | readonly [start: number, stop: number, step?: number];

/**
 * The whole numbers from `start` to before `stop`, each `step` from the one before (CPython: `range`).
 *
 * @throws RangeError for a step of 0 and for what is no whole number
 */
export function range(...bounds: RangeBounds): Range {
  const [start, stop, step = 1] = bounds.length === 1 ? [0, bounds[0]] : bounds;
  return new Range(start, stop, step);
}

/** Numbers at equal distances, which take no room. Each loop over it begins at the first. */
export class Range implements Sequence<number> {
  readonly start: number;
  readonly stop: number;
  readonly step: number;
  readonly length: number;

  constructor(start: number, stop: number, step: number) {
    if (![start, stop, step, stop - start].every((bound) => Number.isSafeInteger(bound)) || step === 0) {
      throw new RangeError(
        `range: start is ${start}, stop ${stop} and step ${step}; give whole numbers, and a step that is not 0`,
      );
    }
    this.start = start;
    this.stop = stop;
    this.step = step;
    this.length = Math.max(0, Math.ceil((stop - start) / step));
  }

  /** The number at an index; a negative one counts from the end. Undefined if there is none. */
  at(index: number): number | undefined {
    const place = index < 0 ? this.length + index : index;
    return Number.isInteger(place) && place >= 0 && place < this.length ? this.start + place * this.step : undefined;
  }

  /** The index of a number, -1 if it is none of these. */
  indexOf(number: number): number {
    const place = (number - this.start) / this.step;
    return this.at(place) === number && place >= 0 ? place + 0 : -1;
  }

  includes(number: number): boolean {
    return this.indexOf(number) !== -1;
  }

  /** True for the same numbers in the same order, whatever the bounds. */
  equals(other: Range): boolean {
    if (this.length !== other.length) return false;
    return this.at(0) === other.at(0) && this.at(-1) === other.at(-1);
  }

  [Symbol.iterator](): StatefulIterator<number> {
    return iterate<number>(this);
  }

  toString(): string {
    return this.step === 1 ? `range(${this.start}, ${this.stop})` : `range(${this.start}, ${this.stop}, ${this.step})`;
  }
}
