import type { Cell, Column, Row } from './cell.js';

/** The names of columns as the first record of a CSV file. */
export function csvHeader(columns: readonly Column[]): string {
  return record(columns.map(({ name }) => csvCell({ kind: 'text', value: name })));
}

/**
 * A row as a record of a CSV file (RFC 4180). Numbers are written so that they are read as the same ones. Text that a spreadsheet would take for a formula has an apostrophe before it, and so
 * has text that begins with one: who reads takes one away. What is missing is nothing, and empty text is `""`.
 */
export function csvRow(columns: readonly Column[], row: Row): string {
  return record(
    columns.map(({ name }) => {
      const cell = row.get(name);
      return cell === undefined ? '' : csvCell(cell);
    }),
  );
}

function record(cells: readonly string[]): string {
  return `${cells.join(',')}\r\n`;
}

function csvCell(cell: Cell): string {
  switch (cell.kind) {
    case 'text':
      return quoted(FORMULA.test(cell.value) ? `'${cell.value}` : cell.value);
    case 'integer':
    case 'number':
      return Object.is(cell.value, -0) ? '-0' : String(cell.value);
    default:
      return quoted(String(cell.value));
  }
}

/** What spreadsheets begin formulas with, in full width too, and our own mark. */
const FORMULA = /^['=+\-@\t\r\n＝＋－＠]/;

function quoted(text: string): string {
  return /[",;\t\r\n]|^\s|\s$|^$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
