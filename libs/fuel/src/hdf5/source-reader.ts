import { readSync } from 'node:fs';
import { dtypeBytes, sizeOf, uninitialized, type DType, type NdArray } from '@longrun/serialization';
import type { Memory } from '../arrays/memory.js';
import { bytesOf, type RowRange } from '../arrays/rows.js';
import { CorruptInput } from '../errors.js';
import type { Request } from '../schemes/iteration-scheme.js';
import type { ChunkCache } from './chunk-cache.js';
import type { ReadableSource } from './h5-source.js';
import type { Extent } from './object-header.js';
import type { OpenHdf5 } from './open-hdf5.js';
import type { RowReader } from './row-reader.js';
import { TiledReader } from './tiled-reader.js';

/** Reads rows of one source of a file whose rows have one shape, in any order. */
export class SourceReader implements RowReader {
  readonly dtype: DType;
  readonly #shape: readonly number[];
  readonly #rowBytes: number;
  readonly #file: OpenHdf5;
  readonly #source: ReadableSource;
  readonly #tiles: TiledReader;
  // Never handed out, so that it can be used again.
  #span = new Uint8Array(0);

  /** @param cache Keeps what is decoded of chunked sources */
  constructor(file: OpenHdf5, source: ReadableSource, cache: ChunkCache) {
    this.#file = file;
    this.#source = source;
    this.dtype = source.dtype;
    this.#shape = source.shape.slice(1);
    this.#rowBytes = sizeOf(this.#shape) * source.elementBytes;
    this.#tiles = new TiledReader(file, source, cache);
  }

  /**
   * The rows as a new array `(rows, ...)`, or one row without the first axis.
   *
   * @param into where it lies. Default: in memory of its own
   * @throws CorruptInput when the file ends before them, or is damaged
   * @throws RangeError for more rows than one array can hold
   */
  read(rows: Request, into: Memory = uninitialized): NdArray {
    if (typeof rows === 'number') {
      const example = this.#array(this.#shape, into);
      this.readInto({ start: rows, stop: rows + 1 }, bytesOf(example));
      return example;
    }
    const count = rows instanceof Uint32Array ? rows.length : rows.stop - rows.start;
    const batch = this.#array([count, ...this.#shape], into);
    this.readInto(rows, bytesOf(batch));
    return batch;
  }

  /** The bytes of the rows, one after the other, into `bytes`, which are as many. @throws CorruptInput as `read` */
  readInto(rows: RowRange | Uint32Array, bytes: Uint8Array): void {
    const { extent } = this.#source;
    if (extent === undefined) {
      this.#tiles.read(rows, bytes);
      return;
    }
    if (!(rows instanceof Uint32Array)) {
      this.#readRun(extent, rows.start, rows.stop - rows.start, bytes, 0);
      return;
    }
    if (this.#readTogether(extent, rows, bytes)) return;
    for (let i = 0; i < rows.length;) {
      // Rows that lie next to each other are read in one go.
      const first = rows[i] ?? 0;
      let run = 1;
      while (i + run < rows.length && rows[i + run] === first + run) run += 1;
      this.#readRun(extent, first, run, bytes, i * this.#rowBytes);
      i += run;
    }
  }

  /** Rows that lie so near to each other that all between them costs less than a read for each; false when they do not. */
  #readTogether(extent: Extent, rows: Uint32Array, bytes: Uint8Array): boolean {
    let [first = 0] = rows;
    let last = first;
    for (const row of rows) {
      if (row < first) first = row;
      else if (row > last) last = row;
    }
    const rowBytes = this.#rowBytes;
    const spanBytes = (last + 1 - first) * rowBytes;
    if (rows.length < 2 || spanBytes > Math.min(rows.length * READ_COSTS_BYTES, LARGEST_SPAN)) return false;
    if (this.#span.length < spanBytes) this.#span = new Uint8Array(spanBytes);
    const span = this.#span;
    this.#readRun(extent, first, last + 1 - first, span, 0);
    let to = 0;
    for (const row of rows) {
      const from = (row - first) * rowBytes;
      if (rowBytes <= FEW_BYTES) for (let i = 0; i < rowBytes; i += 1) bytes[to + i] = span[from + i] ?? 0;
      else bytes.set(span.subarray(from, from + rowBytes), to);
      to += rowBytes;
    }
    return true;
  }

  #array(shape: readonly number[], into: Memory): NdArray {
    try {
      return into(this.dtype, shape);
    } catch (error) {
      const bytes = sizeOf(shape) * dtypeBytes(this.dtype);
      throw new RangeError(
        `${this.#file.path}: (${shape.join(', ')}) of ${this.#source.name} take ${bytes} bytes, more than one array can have here; ask for fewer rows at a time`,
        { cause: error },
      );
    }
  }

  /** Rows that lie next to each other, into the target from `begin` on. */
  #readRun(extent: Extent, first: number, count: number, target: Uint8Array, begin: number): void {
    const { descriptor } = this.#file;
    const end = begin + count * this.#rowBytes;
    let position = extent.offset + first * this.#rowBytes;
    for (let at = begin; at < end;) {
      const read = readSync(descriptor, target, at, Math.min(end - at, LARGEST_READ), position);
      if (read === 0) {
        throw new CorruptInput(
          this.#file.path,
          `ends before row ${first + count - 1} of ${this.#source.name}; the file is incomplete, get or convert it anew`,
        );
      }
      at += read;
      position += read;
    }
  }
}

// A read takes about as long as these bytes do.
const READ_COSTS_BYTES = 1 << 12;
const LARGEST_SPAN = 1 << 21;
// Copied faster one by one than as a part of an array.
const FEW_BYTES = 64;
// Node reads at most 2 GiB at once.
const LARGEST_READ = 1 << 30;
