import { sizeOf, type DType } from '@longrun/serialization';
import { dtypeOf, isRagged, shownColumn, type Column } from '../arrays/column.js';
import { bytesOf } from '../arrays/rows.js';
import type { SourceToWrite } from './dataset-to-write.js';
import type { SourceSpool } from './source-spool.js';
import { Spool } from './spool.js';
import { arrayType, type StoredDataset } from './stored-dataset.js';

/** The rows of a source that all have one shape. */
export class ArraySpool implements SourceSpool {
  readonly #spool: Spool;
  readonly #dtype: DType;
  readonly #example: readonly number[];
  #rows = 0;

  /** @param first Rows that say the dtype, and the shape of each */
  constructor(first: Column, path: string) {
    this.#dtype = dtypeOf(first);
    this.#example = exampleOf(first);
    this.#spool = new Spool(path);
  }

  check(name: string, column: Column): void {
    if (isRagged(column)) {
      throw new RangeError(
        `${name}: ${shownColumn(column)} came after rows of one shape; say ragged: ['${name}'] when the file is begun`,
      );
    }
    if (column.dtype === this.#dtype && exampleOf(column).join() === this.#example.join()) return;
    throw new RangeError(
      `${name}: rows of ${column.dtype} (${exampleOf(column).join(', ')}) do not fit those before, of ${this.#dtype} (${this.#example.join(', ')}); give all one shape, or say ragged: ['${name}'] when the file is begun`,
    );
  }

  async add(column: Column): Promise<void> {
    if (isRagged(column)) throw new Error(`${shownColumn(column)} was not checked; this is a bug in Longrun`);
    await this.#spool.add(bytesOf(column));
    this.#rows += column.shape[0] ?? 0;
  }

  async source(name: string, axisLabels: readonly string[]): Promise<SourceToWrite> {
    const shape = [this.#rows, ...this.#example];
    const type = arrayType(this.#dtype);
    if (this.#spool.sizeBytes !== sizeOf(shape) * type.sizeBytes) {
      throw new Error(
        `${name}: ${this.#spool.sizeBytes} bytes are not (${shape.join(', ')}); this is a bug in Longrun`,
      );
    }
    const stored: StoredDataset = {
      name,
      shape,
      type,
      axisLabels,
      move: (file, position) => this.#spool.moveTo(file, position),
    };
    return { name, dtype: this.#dtype, shape, axisLabels, stored: [stored] };
  }

  async close(): Promise<void> {
    await this.#spool.close();
  }
}

function exampleOf(column: Column): readonly number[] {
  return isRagged(column) ? [] : column.shape.slice(1);
}
