import type { Predicate } from './simple-extension.js';

/** Holds when the current row of the log has a record that is not false, 0, null or empty (Blocks: `OnLogRecord`). */
export function onLogRecord(recordName: string): Predicate {
  return ({ currentRow }) => Boolean(currentRow[recordName]);
}
