import type { Database, Statement } from 'node-sqlite3-wasm';

import type { Cell, CellKind, Column, Row } from '../export/cell.js';
import type { TableFile } from '../export/table-file.js';

/** A table of a SQLite database. Whole numbers are INTEGER and others REAL, in which NaN is null; booleans are 0 and 1; the rest is TEXT. */
export class SqlTable implements Pick<TableFile, 'write'> {
  readonly #columns: readonly Column[];
  readonly #insert: Statement;

  constructor(database: Database, name: string, columns: readonly Column[]) {
    this.#columns = columns;
    const described = columns.map((column) => `${quoted(column.name)} ${TYPES[column.kind]}`);
    database.run(`create table ${quoted(name)} (${described.join(', ')})`);
    this.#insert = database.prepare(`insert into ${quoted(name)} values (${columns.map(() => '?').join(', ')})`);
  }

  async write(row: Row): Promise<void> {
    this.#insert.run(this.#columns.map(({ name, kind }) => valueIn(row.get(name), kind)));
  }

  /** Lets go of the statement that writes. */
  close(): void {
    this.#insert.finalize();
  }
}

const TYPES: Readonly<Record<CellKind, string>> = {
  text: 'text',
  integer: 'integer',
  number: 'real',
  boolean: 'integer',
  moment: 'text',
  json: 'text',
  null: 'text',
};

function valueIn(cell: Cell | undefined, kind: CellKind): string | number | null {
  if (cell === undefined || cell.value === null) return null;
  // Cells of several kinds are text.
  if (kind === 'text' || typeof cell.value === 'string') return String(cell.value);
  return Number(cell.value);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
