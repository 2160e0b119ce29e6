import { countIn, stateIn, StateKind, type NdArray, type VersionedState } from '@longrun/serialization';
import { takeRow } from '../arrays/rows.js';
import { withoutBatchAxis } from '../streams/axis-labels.js';
import type { Batch, DataStream } from '../streams/data-stream.js';
import { Transformer } from './transformer.js';

/**
 * Takes batches apart into examples (Fuel: `Unpack`).
 *
 * State: that of the stream before the present batch, and how many of its examples were given. Restoring reads the batch again.
 */
export class Unpack extends Transformer {
  #before: VersionedState;
  #batch: Batch | undefined;
  #given = 0;

  /** @param stream a stream of batches */
  constructor(stream: DataStream) {
    super(stream);
    if (stream.producesExamples) throw new TypeError('Unpack: the stream gives examples already; leave Unpack out');
    this.#before = stream.state();
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

  async next(): Promise<Batch | undefined> {
    while (this.#batch === undefined || this.#given >= rowsOf(this.#batch)) {
      if (this.#batch !== undefined) {
        // State is taken before the read, and the pair replaced in one go: a read that fails changes nothing.
        this.#before = this.stream.state();
        this.#batch = undefined;
        this.#given = 0;
      }
      const batch = await this.stream.next();
      if (batch === undefined) return undefined;
      this.#batch = batch;
    }
    const row = this.#given;
    const arrays = new Map<string, NdArray>();
    for (const [source, array] of this.#batch.arrays) arrays.set(source, takeRow(array, row));
    this.#given += 1;
    return { arrays };
  }

  override async nextEpoch(): Promise<void> {
    await this.stream.nextEpoch();
    this.#before = this.stream.state();
    this.#batch = undefined;
    this.#given = 0;
  }

  override state(): VersionedState {
    return { ...UNPACK.head, given: this.#given, stream: this.#before };
  }

  override restore(state: VersionedState): void {
    const read = UNPACK.read(state);
    const given = countIn(UNPACK.name, read, 'given');
    const before = stateIn(UNPACK.name, read, 'stream');
    this.stream.restore(before);
    this.#before = before;
    this.#batch = undefined;
    this.#given = given;
  }
}

const UNPACK = new StateKind('Unpack');

function rowsOf(batch: Batch): number {
  const [first] = batch.arrays.values();
  return first?.shape[0] ?? 0;
}
