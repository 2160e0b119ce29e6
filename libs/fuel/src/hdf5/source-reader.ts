import { readSync } from 'node:fs';
import { dtypeBytes, ndarray, sizeOf, type DType, type NdArray } from '@longrun/serialization';
import { bytesOf } from '../arrays/rows.js';
import { CorruptInput } from '../errors.js';
import type { Request } from '../schemes/iteration-scheme.js';
import type { H5File, H5Source } from './h5-file.js';

/** Reads rows of one source of a file, in any order. */
export class SourceReader {
  readonly dtype: DType;
  readonly #shape: readonly number[];
  readonly #rowBytes: number;
  // Rows of chunked sources, a chunk's height at a time, the most recently used last.
  readonly #blocks = new Map<number, Uint8Array>();
  readonly #file: H5File;
  readonly #source: H5Source;

  /** @throws TypeError when an array cannot hold the source */
  constructor(file: H5File, source: H5Source) {
    this.#file = file;
    this.#source = source;
    if (source.dtype === null) {
      throw new TypeError(
        `${file.path}: the source ${source.name} has elements that cannot be read yet (variable-length, text or float16); ` +
          'ask for the other sources by name',
      );
    }
    this.dtype = source.dtype;
    this.#shape = source.shape.slice(1);
    this.#rowBytes = sizeOf(this.#shape) * dtypeBytes(source.dtype);
  }

  /**
   * The rows as a new array `(rows, ...)`, or one row without the first axis.
   *
   * @throws CorruptInput when the file ends before them
   */
  read(rows: Request): NdArray {
    if (typeof rows === 'number') {
      const example = ndarray(this.dtype, this.#shape);
      this.#readRun(rows, 1, bytesOf(example));
      return example;
    }
    const count = rows instanceof Uint32Array ? rows.length : rows.stop - rows.start;
    const batch = ndarray(this.dtype, [count, ...this.#shape]);
    const bytes = bytesOf(batch);
    if (!(rows instanceof Uint32Array)) {
      this.#readRun(rows.start, count, bytes);
      return batch;
    }
    for (let i = 0; i < count;) {
      // Rows that lie next to each other are read in one go.
      const first = rows[i] ?? 0;
      let run = 1;
      while (i + run < count && rows[i + run] === first + run) run += 1;
      this.#readRun(first, run, bytes.subarray(i * this.#rowBytes, (i + run) * this.#rowBytes));
      i += run;
    }
    return batch;
  }

  #readRun(first: number, count: number, target: Uint8Array): void {
    const { extent } = this.#source;
    if (extent === undefined) {
      this.#readBlocks(first, count, target);
      return;
    }
    const start = extent.offset + first * this.#rowBytes;
    for (let done = 0; done < target.length;) {
      const read = readSync(
        this.#file.descriptor,
        target,
        done,
        Math.min(target.length - done, LARGEST_READ),
        start + done,
      );
      if (read === 0) {
        throw new CorruptInput(
          this.#file.path,
          `ends before row ${first + count - 1} of ${this.#source.name}; the file is incomplete, get or convert it anew`,
        );
      }
      done += read;
    }
  }

  /** Through the library, whole chunks at a time: it keeps none between two calls. */
  #readBlocks(first: number, count: number, target: Uint8Array): void {
    const height = this.#blockRows();
    for (let row = first; row < first + count;) {
      const index = Math.floor(row / height);
      const block = this.#block(index, height);
      const from = row - index * height;
      const rows = Math.min(height - from, first + count - row);
      const bytes = block.subarray(from * this.#rowBytes, (from + rows) * this.#rowBytes);
      target.set(bytes, (row - first) * this.#rowBytes);
      row += rows;
    }
  }

  #block(index: number, height: number): Uint8Array {
    const kept = this.#blocks.get(index);
    this.#blocks.delete(index);
    const start = index * height;
    const block = kept ?? this.#file.rows(this.#source, start, Math.min(start + height, this.#source.shape[0] ?? 0));
    this.#blocks.set(index, block);
    const [oldest] = this.#blocks.keys();
    if (oldest !== undefined && this.#blocks.size * block.length > KEPT_BYTES && oldest !== index)
      this.#blocks.delete(oldest);
    return block;
  }

  #blockRows(): number {
    return this.#source.chunkRows ?? Math.max(1, Math.floor(BLOCK_BYTES / Math.max(1, this.#rowBytes)));
  }
}

// Node reads at most 2 GiB at once.
const LARGEST_READ = 1 << 30;
const KEPT_BYTES = 64 << 20;
const BLOCK_BYTES = 1 << 20;
