import type { DType, NdArray } from '@longrun/serialization';
import { isRagged, type Column, type Columns } from '../arrays/column.js';
import type { Memory } from '../arrays/memory.js';
import { bytesOf } from '../arrays/rows.js';

/** Columns as a message has them. */
export type SentColumns = readonly (readonly [source: string, column: Column])[];

/**
 * Columns that can be given to another thread, and the memory that goes with them: copies, as that of the columns may be held by others here, such as a cache.
 *
 * @param into where they lie, each array in a buffer of its own
 */
export function movableColumns(
  columns: Columns,
  into: Memory,
): { readonly columns: SentColumns; readonly buffers: ArrayBuffer[] } {
  const buffers: ArrayBuffer[] = [];
  const moved = <D extends DType>(array: NdArray<D>): NdArray<D> => {
    const copy = into(array.dtype, array.shape);
    bytesOf(copy).set(bytesOf(array));
    if (copy.data.buffer instanceof ArrayBuffer) buffers.push(copy.data.buffer);
    return copy;
  };
  const movable = (column: Column): Column => {
    if (!isRagged(column)) return moved(column);
    const { values, offsets, shapes } = column;
    return { values: moved(values), offsets: offsets.slice(), shapes: moved(shapes) };
  };
  return { columns: [...columns].map(([source, column]) => [source, movable(column)] as const), buffers };
}

/** The memory of columns that came from another thread, which can go back to it: what nobody has given away meanwhile. */
export function buffersOf(columns: SentColumns): ArrayBuffer[] {
  const arrays = columns.flatMap(([, column]) => (isRagged(column) ? [column.values, column.shapes] : [column]));
  const buffers = arrays.map(({ data }) => data.buffer).filter((buffer) => buffer instanceof ArrayBuffer);
  return buffers.filter(({ byteLength }) => byteLength > 0);
}
