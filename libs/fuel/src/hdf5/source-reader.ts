import { readSync } from 'node:fs';
import { dtypeBytes, sizeOf, uninitialized, type DType, type NdArray } from '@longrun/serialization';
import { bytesOf, type RowRange } from '../arrays/rows.js';
import { CorruptInput } from '../errors.js';
import type { Request } from '../schemes/iteration-scheme.js';
import type { ChunkCache } from './chunk-cache.js';
import type { H5File } from './h5-file.js';
import type { ReadableSource } from './h5-source.js';
import type { Extent } from './object-header.js';
import type { RowReader } from './row-reader.js';
import { TiledReader } from './tiled-reader.js';

/** Reads rows of one source of a file whose rows have one shape, in any order. */
export class SourceReader implements RowReader {
  readonly dtype: DType;
  readonly #shape: readonly number[];
  readonly #rowBytes: number;
  readonly #file: H5File;
  readonly #source: ReadableSource;
  readonly #tiles: TiledReader;

  /** @param cache Keeps what is decoded of chunked sources */
  constructor(file: H5File, source: ReadableSource, cache: ChunkCache) {
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
   * @throws CorruptInput when the file ends before them, or is damaged
   * @throws RangeError for more rows than one array can hold
   */
  read(rows: Request): NdArray {
    if (typeof rows === 'number') {
      const example = this.#array(this.#shape);
      this.readInto({ start: rows, stop: rows + 1 }, bytesOf(example));
      return example;
    }
    const count = rows instanceof Uint32Array ? rows.length : rows.stop - rows.start;
    const batch = this.#array([count, ...this.#shape]);
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
      this.#readRun(extent, rows.start, rows.stop - rows.start, bytes);
      return;
    }
    for (let i = 0; i < rows.length;) {
      // Rows that lie next to each other are read in one go.
      const first = rows[i] ?? 0;
      let run = 1;
      while (i + run < rows.length && rows[i + run] === first + run) run += 1;
      this.#readRun(extent, first, run, bytes.subarray(i * this.#rowBytes, (i + run) * this.#rowBytes));
      i += run;
    }
  }

  #array(shape: readonly number[]): NdArray {
    try {
      return uninitialized(this.dtype, shape);
    } catch (error) {
      const bytes = sizeOf(shape) * dtypeBytes(this.dtype);
      throw new RangeError(
        `${this.#file.path}: (${shape.join(', ')}) of ${this.#source.name} take ${bytes} bytes, more than one array can have here; ask for fewer rows at a time`,
        { cause: error },
      );
    }
  }

  #readRun(extent: Extent, first: number, count: number, target: Uint8Array): void {
    const start = extent.offset + first * this.#rowBytes;
    for (let done = 0; done < target.length;) {
      const length = Math.min(target.length - done, LARGEST_READ);
      const read = readSync(this.#file.descriptor, target, done, length, start + done);
      if (read === 0) {
        throw new CorruptInput(
          this.#file.path,
          `ends before row ${first + count - 1} of ${this.#source.name}; the file is incomplete, get or convert it anew`,
        );
      }
      done += read;
    }
  }
}

// Node reads at most 2 GiB at once.
const LARGEST_READ = 1 << 30;
