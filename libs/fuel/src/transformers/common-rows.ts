import { shownColumn, type Columns } from '../arrays/column.js';
import { rowsOf } from '../arrays/rows.js';

/**
 * How many examples a batch has.
 *
 * @param what who asks, for errors
 * @throws RangeError naming the columns if they have different numbers of rows
 */
export function commonRows(what: string, columns: Columns): number {
  const [rows = 0, ...others] = [...columns].map(([source, column]) => rowsOf(column, `${what}: ${source}`));
  if (others.every((other) => other === rows)) return rows;
  const shown = [...columns].map(([source, column]) => `${source} ${shownColumn(column)}`);
  throw new RangeError(
    `${what}: the columns of a batch have different numbers of examples: ${shown.join(', ')}; ` +
      'let the transformers below keep the first axis of all sources equal',
  );
}
