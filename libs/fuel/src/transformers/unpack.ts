import { countIn, stateIn, StateKind, type NdArray, type VersionedState } from '@longrun/serialization';
import { takeRow } from '../arrays/rows.js';
import { withoutBatchAxis } from '../streams/axis-labels.js';
import type { DataStream } from '../streams/data-stream.js';
import { Delivery, type Bookmark } from '../streams/delivery.js';
import { commonRows } from './common-rows.js';
import { Transformer } from './transformer.js';

/**
 * Takes batches apart into examples (Fuel: `Unpack`).
 *
 * State: that of the stream before the present batch, how many of its examples were given, and how many in the epoch. Restoring reads
 * the batch again.
 */
export class Unpack extends Transformer {
  /** That of the stream before the present batch. */
  #before: Bookmark;
  #present: { readonly batch: Delivery; readonly rows: number } | undefined;
  #given = 0;
  #index = 0;

  /** @param stream a stream of batches */
  constructor(stream: DataStream) {
    super(stream);
    if (stream.producesExamples) throw new TypeError('Unpack: the stream gives examples already; leave Unpack out');
    this.#before = stream.bookmark();
  }

  override get producesExamples(): boolean {
    return true;
  }

  override get axisLabels(): ReadonlyMap<string, readonly string[]> | null {
    return withoutBatchAxis(this.stream.axisLabels);
  }

  /** Null: the sizes of the batches are not known beforehand. */
  override get batchesPerEpoch(): null {
    return null;
  }

  protected override async advance(): Promise<Delivery | undefined> {
    while (this.#present === undefined || this.#given >= this.#present.rows) {
      if (this.#present !== undefined) {
        this.#before = this.stream.bookmark();
        this.#present.batch.release();
        this.#present = undefined;
        this.#given = 0;
      }
      const batch = await this.stream.next();
      if (batch === undefined) return undefined;
      this.#present = { batch, rows: commonRows('Unpack', batch.columns) };
    }
    const { columns, epoch } = this.#present.batch;
    const loan = this.ring.lend();
    const [row, index] = [this.#given, this.#index];
    const example = new Map<string, NdArray>();
    for (const [source, column] of columns) example.set(source, takeRow(column, row, loan.memory));
    this.#given += 1;
    this.#index += 1;
    return new Delivery(example, { epoch, index }, this.mark(), [loan]);
  }

  protected override async startEpoch(): Promise<void> {
    await this.stream.nextEpoch();
    this.#before = this.stream.bookmark();
    this.#present = undefined;
    this.#given = 0;
    this.#index = 0;
  }

  protected override mark(): Bookmark {
    const [before, given, index] = [this.#before, this.#given, this.#index];
    return () => ({ ...UNPACK.head, given, index, stream: before() });
  }

  protected override load(state: VersionedState): void {
    const read = UNPACK.read(state);
    const given = countIn(UNPACK.name, read, 'given');
    const index = countIn(UNPACK.name, read, 'index');
    this.stream.restore(stateIn(UNPACK.name, read, 'stream'));
    this.#before = this.stream.bookmark();
    this.#present = undefined;
    this.#given = given;
    this.#index = index;
  }
}

const UNPACK = new StateKind('Unpack', {
  version: 2,
  // The first version did not count the examples of the epoch: nothing depended on it, and the count begins with those of the batch.
  migrations: [{ from: 1, migrate: (state) => ({ ...state, version: 2, index: state['given'] ?? 0 }) }],
});
