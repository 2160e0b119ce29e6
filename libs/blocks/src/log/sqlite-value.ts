import { encodeLogValue, decodeLogValue, type LogValue } from './log-value.js';

/** What a cell of a SQLite table holds. */
export type SQLiteCell = number | bigint | string | Uint8Array | null;

/**
 * A log value in SQLite, as the original has it: numbers, text and null are themselves, true and false are 1 and 0, and NaN, which SQLite has not, is null. Lists, which the original
 * pickled, are the bytes of JSON: `cast(value as text)`.
 */
export function toCell(value: LogValue): SQLiteCell {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'number') return Number.isNaN(value) ? null : value;
  return Buffer.from(JSON.stringify(encodeLogValue(value)));
}

/** The inverse of {@link toCell}, but that true and false are numbers, and NaN is null. */
export function fromCell(cell: SQLiteCell): LogValue {
  if (cell instanceof Uint8Array) return decodeLogValue(JSON.parse(Buffer.from(cell).toString()));
  return typeof cell === 'bigint' ? Number(cell) : cell;
}
