import { copyOf, type DType, type NdArray } from '@longrun/serialization';
import { isRagged, type Column, type Columns } from '../arrays/column.js';

/** Columns as a message has them. */
export type SentColumns = readonly (readonly [source: string, column: Column])[];

/** Columns that can be given to another thread, and the memory that goes with them. */
export function movableColumns(columns: Columns): { readonly columns: SentColumns; readonly buffers: ArrayBuffer[] } {
  const buffers: ArrayBuffer[] = [];
  return { columns: [...columns].map(([source, column]) => [source, movable(column, buffers)] as const), buffers };
}

/** A copy of a column, whose memory can be given away: that of the column may be held by others here, such as a cache. Its buffers are added to `buffers`. */
function movable(column: Column, buffers: ArrayBuffer[]): Column {
  const moved = <D extends DType>(array: NdArray<D>): NdArray<D> => {
    const copy = copyOf(array);
    if (copy.data.buffer instanceof ArrayBuffer) buffers.push(copy.data.buffer);
    return copy;
  };
  if (!isRagged(column)) return moved(column);
  const { values, offsets, shapes } = column;
  return { values: moved(values), offsets: offsets.slice(), shapes: moved(shapes) };
}
