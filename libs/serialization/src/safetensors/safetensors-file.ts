import type { NdArray } from '../ndarray.js';
import { type BytesSource, openRanged, type RangedBytes } from '../ranged-bytes.js';
import { decodeHeader, decodeHeaderLength, InvalidSafetensors, LENGTH_BYTES, type TensorEntry } from './header.js';
import { shown } from '../shown.js';
import { checkRows, type RowBlocks, rowBlocks, rowBytes, type StreamedTensor } from './streamed-tensor.js';
import { checkByteOrder, emptyTensor, wrongBool } from './tensor-bytes.js';

/**
 * Opens a safetensors file, or object, and reads its header only, which is checked against the size: the tensors fill the rest
 * without hole or overlap.
 *
 * @throws InvalidSafetensors naming the file and what is wrong
 */
export async function openSafetensors(source: BytesSource): Promise<SafetensorsFile> {
  checkByteOrder();
  const bytes = await openRanged(source, InvalidSafetensors);
  try {
    const length = await bytes.take(0, Math.min(LENGTH_BYTES, bytes.sizeBytes));
    const header = await bytes.take(LENGTH_BYTES, decodeHeaderLength(bytes.where, length, bytes.sizeBytes));
    const dataStart = LENGTH_BYTES + header.byteLength;
    const { entries, metadata } = decodeHeader(bytes.where, header, bytes.sizeBytes - dataStart);
    return new SafetensorsFile(bytes, dataStart, entries, metadata);
  } catch (error) {
    await bytes.close();
    throw error;
  }
}

/** What is known of a tensor before it is read. */
export type TensorFacts = Pick<NdArray, 'dtype' | 'shape'>;

/** There is no tensor of the name that was asked for. */
export class TensorAbsent extends Error {
  override readonly name = 'TensorAbsent';

  /** @param names those that there are */
  static of(where: string, name: string, names: readonly string[]): TensorAbsent {
    const known = names.slice(0, KNOWN_NAMES).map(shown);
    const more = names.length - known.length;
    const has = known.length === 0 ? 'no tensors' : known.join(', ') + (more > 0 ? ` and ${more} more` : '');
    return new TensorAbsent(`${where}: there is no tensor ${shown(name)}; the file has ${has}`);
  }
}

const KNOWN_NAMES = 10;

/**
 * An open safetensors file: names, dtypes, shapes and metadata, and the tensors, whole or by rows (of the first axis), each read when it
 * is asked for. What was `safe_open` in Python, `get_slice` included. Nothing is kept; any number of reads may go on at once. Close it.
 */
export class SafetensorsFile {
  /** Names the file in errors. */
  readonly where: string;
  /** The tensors by name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorFacts>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #bytes: RangedBytes;
  readonly #dataStart: number;
  readonly #entries: ReadonlyMap<string, TensorEntry>;

  /** Get one from {@link openSafetensors}. */
  constructor(
    bytes: RangedBytes,
    dataStart: number,
    entries: readonly TensorEntry[],
    metadata: Readonly<Record<string, string>>,
  ) {
    this.where = bytes.where;
    this.#bytes = bytes;
    this.#dataStart = dataStart;
    this.#entries = new Map(entries.map((entry) => [entry.name, entry]));
    this.tensors = new Map(entries.map(({ name, dtype, shape }) => [name, { dtype, shape }]));
    this.metadata = metadata;
  }

  /** One tensor. @throws TensorAbsent, InvalidSafetensors */
  async read(name: string): Promise<NdArray> {
    const entry = this.#entry(name);
    return this.#read(entry, entry.shape, 0);
  }

  /**
   * The rows `[start, stop)` of one tensor, of shape `(stop - start, ...shape[1:])`; no other bytes are read.
   *
   * @throws TensorAbsent, InvalidSafetensors; RangeError for rows that there are not, and for a scalar
   */
  async readRows(name: string, start: number, stop: number): Promise<NdArray> {
    const entry = this.#entry(name);
    checkRows(name, entry.shape, start, stop);
    const firstByte = start === 0 ? 0 : start * rowBytes(entry.dtype, entry.shape);
    return this.#read(entry, [stop - start, ...entry.shape.slice(1)], firstByte);
  }

  /** One tensor a block of rows at a time, each an array of its own. @throws as {@link readRows} */
  async *blocks(name: string, options: RowBlocks = {}): AsyncGenerator<NdArray> {
    for (const [start, stop] of rowBlocks(name, this.#entry(name), options))
      yield await this.readRows(name, start, stop);
  }

  /** One tensor to be written elsewhere, not read before. A scalar has no rows: {@link read} it. @throws TensorAbsent */
  streamed(name: string): StreamedTensor {
    const { dtype, shape } = this.#entry(name);
    return { dtype, shape, blocks: () => this.blocks(name) };
  }

  close(): Promise<void> {
    return this.#bytes.close();
  }

  async #read(entry: TensorEntry, shape: readonly number[], firstByte: number): Promise<NdArray> {
    const { tensor, raw } = emptyTensor(entry.dtype, shape);
    await this.#bytes.fill(raw, this.#dataStart + entry.begin + firstByte);
    const wrong = wrongBool(entry.dtype, raw, firstByte);
    if (wrong !== undefined) throw this.#bytes.invalid(`tensor ${JSON.stringify(entry.name)} ${wrong}`);
    return tensor;
  }

  #entry(name: string): TensorEntry {
    const entry = this.#entries.get(name);
    if (entry !== undefined) return entry;
    throw TensorAbsent.of(this.where, name, [...this.#entries.keys()]);
  }
}
