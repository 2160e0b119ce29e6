import type { NdArray } from '@longrun/serialization';
import type { Column } from '../arrays/column.js';
import type { Memory } from '../arrays/memory.js';
import type { Request } from '../schemes/iteration-scheme.js';

/** Reads rows of one source of a file, in any order. */
export interface RowReader {
  /** A row, without the first axis. */
  read(row: number, into?: Memory): NdArray;
  /**
   * Rows as a new array `(rows, ...)`, or ragged where they differ in shape.
   *
   * @param into where it lies. Default: in memory of its own
   * @throws CorruptInput when the file ends before them, or is damaged
   * @throws RangeError for more rows than one array can hold
   */
  read(rows: Request, into?: Memory): Column;
}
