import type { Column, Columns } from '../arrays/column.js';

/**
 * The columns of one batch, of those of several batches or examples.
 *
 * @param join makes one column of those of a source
 * @throws TypeError for a part without one of the sources
 */
export function putTogether(
  parts: readonly Columns[],
  sources: readonly string[],
  join: (columns: readonly Column[], source: string) => Column,
): Columns {
  const columns = new Map<string, Column>();
  for (const source of sources) columns.set(source, join(parts.map(columnOf(source)), source));
  return columns;
}

function columnOf(source: string): (part: Columns) => Column {
  return (columns) => {
    const column = columns.get(source);
    if (column !== undefined) return column;
    throw new TypeError(
      `${source}: batches cannot be put together, as one has ${[...columns.keys()].join(', ') || 'no columns'} only; ` +
        'let the stream give all of its sources',
    );
  };
}
