import { countIn, stateIn, StateKind, type VersionedState } from '@longrun/serialization';
import type { Columns } from '../arrays/column.js';
import type { DataStream } from '../streams/data-stream.js';
import { Delivery, type Bookmark, type Place } from '../streams/delivery.js';
import { Transformer } from './transformer.js';

/** Whether a batch or an example is kept, by its columns, and its place in the stream below. The columns are neither written to nor kept by it. */
export type FilterPredicate = (columns: Columns, place: Place) => boolean | Promise<boolean>;

/**
 * Keeps the batches or examples for which a predicate is true (Fuel: `Filter`). The predicate depends on nothing but what it is given.
 *
 * State: that of the stream below, and how many were kept in the epoch.
 */
export class Filter extends Transformer {
  readonly predicate: FilterPredicate;
  #index = 0;

  /** @param predicate true for what is to be kept */
  constructor(stream: DataStream, predicate: FilterPredicate) {
    super(stream);
    this.predicate = predicate;
  }

  /** Null: how many are kept is not known beforehand. */
  override get batchesPerEpoch(): null {
    return null;
  }

  protected override stage(): string {
    return `Filter(${this.predicate.name})`;
  }

  protected override async advance(): Promise<Delivery | undefined> {
    for (let below = await this.stream.next(); below !== undefined; below = await this.stream.next()) {
      if (!(await this.predicate(below.columns, below))) {
        below.release();
        continue;
      }
      const index = this.#index;
      this.#index += 1;
      return new Delivery(below.columns, { epoch: below.epoch, index }, this.mark(), [below]);
    }
    return undefined;
  }

  protected override async startEpoch(): Promise<void> {
    await this.stream.nextEpoch();
    this.#index = 0;
  }

  protected override mark(): Bookmark {
    const index = this.#index;
    const below = this.stream.bookmark();
    return () => ({ ...FILTER.head, index, stream: below() });
  }

  protected override load(state: VersionedState): void {
    const read = FILTER.read(state);
    const index = countIn(FILTER.name, read, 'index');
    this.stream.restore(stateIn(FILTER.name, read, 'stream'));
    this.#index = index;
  }
}

const FILTER = new StateKind('Filter');
