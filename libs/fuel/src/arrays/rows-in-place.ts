import { dtypeBytes, type NdArray, sizeOf, typedArrayConstructor, uninitialized } from '@longrun/serialization';
import type { Column } from './column.js';
import type { Memory } from './memory.js';
import { stackRows } from './rows.js';

/** The rows of a batch, each made by itself: those of one dtype and shape where they lie in the end, so that they need not be copied. */
export class RowsInPlace {
  readonly #count: number;
  readonly #into: Memory;
  #batch: NdArray | undefined;

  /** @param into where the batch lies */
  constructor(count: number, into: Memory) {
    this.#count = count;
    this.#into = into;
  }

  /** Memory for the array that a row is to be, for no other. */
  memoryOf(row: number): Memory {
    return (dtype, shape) => {
      const size = sizeOf(shape);
      const bytes = size * dtypeBytes(dtype);
      // The first one may be the largest by far, of rows that differ in shape.
      if (this.#count * bytes <= MOST_BYTES) this.#batch ??= this.#into(dtype, [this.#count, ...shape]);
      const batch = this.#batch;
      if (batch === undefined || !this.#isRow(dtype, shape)) return uninitialized(dtype, shape);
      const { buffer, byteOffset } = batch.data;
      return {
        dtype,
        shape: [...shape],
        data: new (typedArrayConstructor(dtype))(buffer, byteOffset + row * bytes, size),
      };
    };
  }

  /**
   * The rows that were made, as a column: ragged where they differ in shape.
   *
   * @throws Error as `stackRows`
   */
  column(made: readonly NdArray[], source: string): Column {
    const batch = this.#batch;
    return batch !== undefined && made.every((array, row) => this.#isInPlace(array, row, batch))
      ? batch
      : stackRows(made, source, this.#into);
  }

  #isInPlace({ dtype, shape, data }: NdArray, row: number, batch: NdArray): boolean {
    const begin = batch.data.byteOffset + row * data.byteLength;
    return data.buffer === batch.data.buffer && data.byteOffset === begin && this.#isRow(dtype, shape);
  }

  #isRow(dtype: NdArray['dtype'], shape: readonly number[]): boolean {
    const batch = this.#batch;
    if (batch?.dtype !== dtype || batch.shape.length !== shape.length + 1) return false;
    return shape.every((size, axis) => size === batch.shape[axis + 1]);
  }
}

const MOST_BYTES = 2 ** 29;
