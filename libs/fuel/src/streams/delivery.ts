import type { VersionedState } from '@longrun/serialization';
import type { Columns } from '../arrays/column.js';

/** One batch, or one example, by source name. */
export interface Batch {
  /** Batches: `(batch, ...)` each, or ragged, with the same number of rows. Examples: arrays without the first axis. */
  readonly columns: Columns;
}

/** Where in the course of a stream something is: what depends on chance is drawn by it, as by `new RandomAt(key, epoch, index)`. */
export interface Place {
  /** The pass over the data, counted from 0. */
  readonly epoch: number;
  /** How many batches or examples the stream gave before in that epoch. */
  readonly index: number;
}

/** Gives a state of a stream as it was when this was made, whatever the stream has done since, and whenever it is asked for. */
export type Bookmark = () => VersionedState;

/** What a stream gives: a batch or an example, where it is, and the state of the stream after it. */
export class Delivery implements Batch, Place {
  readonly columns: Columns;
  readonly epoch: number;
  readonly index: number;
  readonly #bookmark: Bookmark;

  constructor(columns: Columns, { epoch, index }: Place, bookmark: Bookmark) {
    this.columns = columns;
    this.epoch = epoch;
    this.index = index;
    this.#bookmark = bookmark;
  }

  /** What gives the state after it, and does not hold on to the columns. */
  get bookmark(): Bookmark {
    return this.#bookmark;
  }

  /** The state of the stream after it: a stream built the same way that restores it gives next what followed. */
  state(): VersionedState {
    return this.#bookmark();
  }
}
