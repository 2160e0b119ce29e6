import { type FileHandle, open } from 'node:fs/promises';

import type { Column, Row } from './cell.js';
import { csvHeader, csvRow } from './csv.js';

/** A file that a table is written to, row by row. */
export interface TableFile {
  write(row: Row): Promise<void>;
  /** Writes what is left, and has it on the disk. */
  finish(): Promise<void>;
  /** Lets go of the file, whole or not. */
  close(): Promise<void>;
}

/** A table as a CSV file: UTF-8 without a mark, see {@link csvRow}. */
export class CsvFile implements TableFile {
  readonly #handle: FileHandle;
  readonly #columns: readonly Column[];
  #text: string;

  private constructor(handle: FileHandle, columns: readonly Column[]) {
    this.#handle = handle;
    this.#columns = columns;
    this.#text = csvHeader(columns);
  }

  static async create(file: string, columns: readonly Column[]): Promise<CsvFile> {
    return new CsvFile(await open(file, 'w'), columns);
  }

  async write(row: Row): Promise<void> {
    this.#text += csvRow(this.#columns, row);
    if (this.#text.length >= CHARACTERS_AT_ONCE) await this.#flush();
  }

  async finish(): Promise<void> {
    await this.#flush();
    await this.#handle.sync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #flush(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    await this.#handle.appendFile(text);
  }
}

const CHARACTERS_AT_ONCE = 2 ** 18;
