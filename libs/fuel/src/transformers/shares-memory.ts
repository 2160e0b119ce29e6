import { isRagged, type Columns } from '../arrays/column.js';

/** Whether some of the columns lie in memory of the others, whatever part of it: as views of them, or as they are. */
export function sharesMemory(columns: Columns, others: Columns): boolean {
  const buffers = buffersOf(others);
  for (const buffer of buffersOf(columns)) if (buffers.has(buffer)) return true;
  return false;
}

function buffersOf(columns: Columns): ReadonlySet<ArrayBufferLike> {
  const buffers = new Set<ArrayBufferLike>();
  for (const column of columns.values()) {
    if (!isRagged(column)) buffers.add(column.data.buffer);
    else for (const { buffer } of [column.values.data, column.offsets, column.shapes.data]) buffers.add(buffer);
  }
  return buffers;
}
