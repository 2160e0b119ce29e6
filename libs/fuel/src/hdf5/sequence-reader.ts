import { dtypeBytes, ndarray, uninitialized, type NdArray } from '@longrun/serialization';
import { ragged, type Column, type Ragged } from '../arrays/column.js';
import type { Memory } from '../arrays/memory.js';
import { bytesOf, takeRow, withoutNeed, type RowRange } from '../arrays/rows.js';
import { CorruptInput } from '../errors.js';
import type { Request } from '../schemes/iteration-scheme.js';
import type { ChunkCache } from './chunk-cache.js';
import { ChunkedElements } from './chunked-elements.js';
import { isAsInMemory, textEnd } from './datatype.js';
import { ELEMENT_BYTES, GlobalHeap } from './global-heap.js';
import { readable, type ReadableSource } from './h5-source.js';
import type { OpenHdf5 } from './open-hdf5.js';
import { explained } from './reading-error.js';
import type { RowReader } from './row-reader.js';
import { SourceReader } from './source-reader.js';

/**
 * Reads rows that are sequences of variable length: of the shapes that the source has for them, else vectors; text of variable length as
 * uint8 `(bytes)`.
 */
export class SequenceReader implements RowReader {
  readonly #file: OpenHdf5;
  readonly #source: ReadableSource;
  readonly #elements: Pick<SourceReader, 'readInto'>;
  readonly #shapes: SourceReader | null;
  readonly #heap: GlobalHeap;

  constructor(file: OpenHdf5, source: ReadableSource, cache: ChunkCache) {
    this.#file = file;
    this.#source = source;
    const { name, chunkIndex, elementBytes } = source;
    this.#elements =
      chunkIndex === undefined
        ? new SourceReader(file, source, cache)
        : new ChunkedElements(file, name, chunkIndex, elementBytes, cache);
    this.#shapes = source.shapes === null ? null : new SourceReader(file, readable(file.path, source.shapes), cache);
    this.#heap = new GlobalHeap(file);
  }

  read(row: number, into?: Memory): NdArray;
  read(rows: Request, into?: Memory): Column;
  read(request: Request, into: Memory = uninitialized): Column {
    const rows = typeof request === 'number' ? { start: request, stop: request + 1 } : request;
    let column: Ragged;
    try {
      column = this.#ragged(rows, typeof request === 'number' ? uninitialized : into);
    } catch (error) {
      throw explained(this.#file.path, error);
    }
    return typeof request === 'number' ? takeRow(column, 0, into) : withoutNeed(column);
  }

  #ragged(rows: RowRange | Uint32Array, into: Memory): Ragged {
    const { dtype, type } = this.#source;
    const count = rows instanceof Uint32Array ? rows.length : rows.stop - rows.start;
    const elements = Buffer.allocUnsafe(count * ELEMENT_BYTES);
    this.#elements.readInto(rows, elements);
    const width = dtypeBytes(dtype);
    const lengths = new Uint32Array(count);
    let total = 0;
    for (let row = 0; row < count; row += 1) {
      this.#heap.checkLength(elements, row * ELEMENT_BYTES, width);
      total += lengths[row] = GlobalHeap.lengthOf(elements, row * ELEMENT_BYTES);
    }
    const shapes = this.#shapesOf(rows, lengths);
    const values = into(dtype, [total]);
    const bytes = bytesOf(values);
    let start = 0;
    for (let row = 0; row < count; row += 1) {
      const end = start + (lengths[row] ?? 0) * width;
      this.#heap.readInto(elements, row * ELEMENT_BYTES, bytes.subarray(start, end));
      start = end;
    }
    if (type.class === 'variable-length text') return withoutNuls(bytes, lengths);
    if (type.class === 'variable-length' && !isAsInMemory(type.base)) swap(bytes, width);
    return ragged(values, shapes);
  }

  /** The shapes of the rows, which have as many elements as these. */
  #shapesOf(rows: RowRange | Uint32Array, lengths: Uint32Array): NdArray<'uint32'> {
    if (this.#shapes === null) return ndarray('uint32', [lengths.length, 1], lengths);
    const { shape, data } = this.#shapes.read(rows);
    const axes = shape[1] ?? 0;
    const sizes = new Uint32Array(data.length);
    for (const [row, length] of lengths.entries()) {
      let product = 1;
      for (let i = row * axes; i < (row + 1) * axes; i += 1) {
        sizes[i] = Number(data[i]);
        product *= Number(data[i]) === sizes[i] ? Number(data[i]) : Number.NaN;
      }
      if (product !== length)
        throw this.#unlike(Array.from(data.subarray(row * axes, (row + 1) * axes), Number), length);
    }
    return ndarray('uint32', [lengths.length, axes], sizes);
  }

  #unlike(shape: readonly number[], length: number): CorruptInput {
    const { name, shapes } = this.#source;
    return new CorruptInput(
      this.#file.path,
      `has a row of ${name} with ${length} elements, whose shape in ${shapes?.name} is (${shape.join(', ')}); get or convert it anew`,
    );
  }
}

/** Texts without the NUL that some writers count as a part of them. */
function withoutNuls(bytes: Uint8Array, lengths: Uint32Array): Ragged {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const kept = new Uint32Array(lengths.length);
  let [from, to] = [0, 0];
  for (const [row, length] of lengths.entries()) {
    const end = (kept[row] = textEnd('null-terminated', whole.subarray(from, from + length)));
    whole.copyWithin(to, from, from + end);
    from += length;
    to += end;
  }
  const values = ndarray('uint8', [to], bytes.slice(0, to));
  return ragged(values, ndarray('uint32', [kept.length, 1], kept));
}

/** Numbers of the other byte order, in place. */
function swap(bytes: Uint8Array, width: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (width === 2) buffer.swap16();
  else if (width === 4) buffer.swap32();
  else if (width === 8) buffer.swap64();
}
