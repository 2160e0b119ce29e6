import { ndarray, uninitialized, type NdArray } from '@longrun/serialization';
import { ragged, type Column } from '../arrays/column.js';
import type { Memory } from '../arrays/memory.js';
import { listed, takeRow, withoutNeed } from '../arrays/rows.js';
import type { Request } from '../schemes/iteration-scheme.js';
import type { ChunkCache } from './chunk-cache.js';
import { textEnd, type TextPadding } from './datatype.js';
import type { ReadableSource } from './h5-source.js';
import type { OpenHdf5 } from './open-hdf5.js';
import type { RowReader } from './row-reader.js';
import { SourceReader } from './source-reader.js';

/**
 * Reads text that has a field of the same size in each row: uint8 `(bytes)`, without what it is padded with; `(1, bytes)` of a source
 * `(examples, 1)`.
 */
export class TextReader implements RowReader {
  readonly #reader: SourceReader;
  readonly #fieldBytes: number;
  readonly #padding: TextPadding;
  /** Axes of a row before that of its bytes, each of size one. */
  readonly #axes: number;

  constructor(file: OpenHdf5, source: ReadableSource, padding: TextPadding, cache: ChunkCache) {
    this.#reader = new SourceReader(file, source, cache);
    this.#fieldBytes = source.elementBytes;
    this.#padding = padding;
    this.#axes = source.shape.length - 1;
  }

  read(row: number, into?: Memory): NdArray;
  read(rows: Request, into?: Memory): Column;
  read(request: Request, into: Memory = uninitialized): Column {
    const asked = typeof request === 'number' ? { start: request, stop: request + 1 } : request;
    const rows = asked instanceof Uint32Array ? asked : listed(asked);
    const fields = Buffer.alloc(rows.length * this.#fieldBytes);
    this.#reader.readInto(rows, fields);
    const texts = Array.from(rows, (_, i) => {
      const field = fields.subarray(i * this.#fieldBytes, (i + 1) * this.#fieldBytes);
      return field.subarray(0, textEnd(this.#padding, field));
    });
    const values = (typeof request === 'number' ? uninitialized : into)('uint8', [
      texts.reduce((sum, { length }) => sum + length, 0),
    ]);
    let at = 0;
    for (const text of texts) {
      values.data.set(text, at);
      at += text.length;
    }
    const axes = this.#axes + 1;
    const sizes = new Uint32Array(texts.length * axes).fill(1);
    for (const [row, { length }] of texts.entries()) sizes[(row + 1) * axes - 1] = length;
    const column = ragged(values, ndarray('uint32', [texts.length, axes], sizes));
    return typeof request === 'number' ? takeRow(column, 0, into) : withoutNeed(column);
  }
}
