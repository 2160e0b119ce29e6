import { inflateSync } from 'node:zlib';
import type { RowRange } from '../arrays/rows.js';
import type { ChunkCache } from './chunk-cache.js';
import { readChunkIndex, type ChunkIndex, type StoredChunk } from './chunk-index.js';
import { DEFLATE } from './filters.js';
import { readAt, type OpenFile } from './object-header.js';

/**
 * Reads elements of a dataset of one axis in chunks as they are stored. The library would follow those of variable length, into its own
 * memory, and never ends on some that are damaged.
 */
export class ChunkedElements {
  readonly #file: OpenFile;
  readonly #name: string;
  readonly #index: ChunkIndex;
  readonly #elementBytes: number;
  readonly #cache: ChunkCache;
  #chunks: ReadonlyMap<number, StoredChunk> | undefined;

  /** @param cache Keeps what is decoded */
  constructor(file: OpenFile, name: string, index: ChunkIndex, elementBytes: number, cache: ChunkCache) {
    this.#file = file;
    this.#name = name;
    this.#index = index;
    this.#elementBytes = elementBytes;
    this.#cache = cache;
  }

  /**
   * The elements of rows, one after the other, into `bytes`, which are as many. Of what was never written they are zeros.
   *
   * @throws RangeError for chunks that are damaged
   */
  readInto(rows: RowRange | Uint32Array, bytes: Uint8Array): void {
    const size = this.#elementBytes;
    if (rows instanceof Uint32Array) {
      for (const [position, row] of rows.entries()) this.#copy(row, row + 1, bytes.subarray(position * size));
    } else this.#copy(rows.start, rows.stop, bytes);
  }

  #copy(start: number, stop: number, target: Uint8Array): void {
    const { chunkRows } = this.#index;
    const size = this.#elementBytes;
    for (let row = start; row < stop;) {
      const number = Math.floor(row / chunkRows);
      const first = number * chunkRows;
      const end = Math.min(stop, first + chunkRows);
      const place = target.subarray((row - start) * size, (end - start) * size);
      const chunk = this.#chunk(number);
      if (chunk === undefined) place.fill(0);
      else place.set(chunk.subarray((row - first) * size, (end - first) * size));
      row = end;
    }
  }

  #chunk(number: number): Uint8Array | undefined {
    this.#chunks ??= readChunkIndex(this.#index, this.#file);
    const stored = this.#chunks.get(number);
    return stored && this.#cache.get(`${this.#name}/${number}`, () => this.#decoded(stored));
  }

  #decoded({ address, sizeBytes, skipped }: StoredChunk): Uint8Array {
    const wholeBytes = this.#index.chunkRows * this.#elementBytes;
    let bytes = readAt(this.#file.descriptor, this.#file.base + address, Math.min(sizeBytes, 2 * wholeBytes + MARGIN));
    for (const [at, { id }] of [...this.#index.filters.entries()].toReversed()) {
      if ((skipped & (1 << at)) !== 0) continue;
      if (id !== DEFLATE) throw new RangeError(`a chunk of ${this.#name} went through filter ${id}`);
      bytes = inflated(bytes, wholeBytes + MARGIN, this.#name);
    }
    if (bytes.length === wholeBytes) return bytes;
    throw new RangeError(`a chunk of ${this.#name} has ${bytes.length} bytes where ${wholeBytes} are expected`);
  }
}

/** More than what filters add to a chunk that they do not make smaller. */
const MARGIN = 1 << 10;

function inflated(bytes: Buffer, mostBytes: number, name: string): Buffer {
  try {
    return inflateSync(bytes, { maxOutputLength: mostBytes });
  } catch (error) {
    throw new RangeError(`a chunk of ${name} is not compressed as it says`, { cause: error });
  }
}
