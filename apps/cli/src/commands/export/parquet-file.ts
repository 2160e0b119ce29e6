import { type FileHandle, open } from 'node:fs/promises';

import { assertNever } from '@longrun/contracts';
import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';

import type { Cell, CellKind, Column, Row } from './cell.js';
import type { TableFile } from './table-file.js';

/**
 * A table as a Parquet file, compressed by Snappy: text as strings, integers as int64, numbers as doubles with NaN, the infinities and -0, moments as
 * timestamps in UTC to the millisecond, JSON as text. What is missing, or null, is null. Rows are written a group at a time, and only these are in memory.
 */
export class ParquetFile implements TableFile {
  readonly #handle: FileHandle;
  readonly #columns: readonly Column[];
  readonly #bytes: ByteWriter;
  readonly #writer: ParquetWriter;
  #rows: Row[] = [];
  #sizeBytes = 0;

  private constructor(handle: FileHandle, columns: readonly Column[]) {
    this.#handle = handle;
    this.#columns = columns;
    this.#bytes = new ByteWriter();
    const schema = [{ name: 'root', num_children: columns.length }, ...columns.map(elementOf)];
    this.#writer = new ParquetWriter({ writer: this.#bytes, schema, createdBy: 'longrun' });
  }

  static async create(file: string, columns: readonly Column[]): Promise<ParquetFile> {
    return new ParquetFile(await open(file, 'w'), columns);
  }

  async write(row: Row): Promise<void> {
    this.#rows.push(row);
    this.#sizeBytes += this.#columns.length * BYTES_OF_CELL;
    for (const { value } of row.values()) if (typeof value === 'string') this.#sizeBytes += value.length;
    if (this.#sizeBytes >= GROUP_BYTES) await this.#writeGroup();
  }

  async finish(): Promise<void> {
    if (this.#rows.length > 0) await this.#writeGroup();
    await this.#writer.finish();
    await this.#flush();
    await this.#handle.sync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #writeGroup(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    this.#sizeBytes = 0;
    const columnData = this.#columns.map(({ name, kind }) => ({
      name,
      data: rows.map((row) => valueOf(row.get(name), kind)),
      // Kept up to the end of the file, for readers that look for single rows.
      offsetIndex: false,
    }));
    await this.#writer.write({ columnData, rowGroupSize: rows.length });
    await this.#flush();
  }

  async #flush(): Promise<void> {
    await this.#handle.appendFile(this.#bytes.getBytes());
    this.#bytes.index = 0;
  }
}

/** What a group holds in memory, about: readers have one of a column at a time in theirs, too. */
const GROUP_BYTES = 2 ** 24;
/** Of a number in its row and its column. */
const BYTES_OF_CELL = 64;

function elementOf({ name, kind }: Column): SchemaElement {
  return { name, repetition_type: 'OPTIONAL', ...TYPES[kind] };
}

const STRING = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;

const TYPES: Readonly<Record<CellKind, Pick<SchemaElement, 'type' | 'converted_type' | 'logical_type'>>> = {
  text: STRING,
  json: STRING,
  null: STRING,
  integer: { type: 'INT64' },
  number: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
  moment: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MILLIS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
  },
};

/** A cell as the column's kind has it; undefined is null. */
function valueOf(cell: Cell | undefined, kind: CellKind): string | number | bigint | boolean | Date | undefined {
  if (cell === undefined || cell.kind === 'null') return undefined;
  const { value } = cell;
  switch (kind) {
    case 'text':
    case 'json':
      return String(value);
    case 'integer':
      return BigInt(value);
    case 'number':
      return Number(value);
    case 'boolean':
      return value === true;
    case 'moment':
      return new Date(String(value));
    case 'null':
      return undefined;
    default:
      return assertNever(kind);
  }
}
