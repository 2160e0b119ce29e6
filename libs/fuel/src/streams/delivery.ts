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

/** What has memory that can be used again once nobody looks at it. */
export interface Releasable {
  /** Gives its memory back. Whatever it made is not to be looked at any more. Once is enough. */
  release(): void;
}

/** What a stream gives: a batch or an example, where it is, and the state of the stream after it. */
export class Delivery implements Batch, Place, Releasable {
  readonly epoch: number;
  readonly index: number;
  readonly #bookmark: Bookmark;
  #columns: Columns | undefined;
  #memory: readonly Releasable[];

  /** @param memory what the columns lie in, as far as it can be used again: batches below, too. Default nothing */
  constructor(columns: Columns, { epoch, index }: Place, bookmark: Bookmark, memory: readonly Releasable[] = []) {
    this.#columns = columns;
    this.epoch = epoch;
    this.index = index;
    this.#bookmark = bookmark;
    this.#memory = memory;
  }

  /** By source, in their order. @throws Error once it is released */
  get columns(): Columns {
    if (this.#columns !== undefined) return this.#columns;
    throw new Error(
      'The columns of a batch were asked for after its release(), when others lie in their memory; copy before what is to be kept (copyOf)',
    );
  }

  /**
   * Gives the memory of its columns back, for batches to come: they are not to be looked at any more, nor is what shares their memory. It is for whoever took it from a
   * stream to say so, or not to: what is never released stays as it is, and is left to the garbage collector.
   */
  release(): void {
    const memory = this.#memory;
    this.#columns = undefined;
    this.#memory = [];
    for (const part of memory) part.release();
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
