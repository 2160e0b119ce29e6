import { type DType, dtypeBytes, type NdArray, ndarray, sizeOf } from '../ndarray.js';
import { type RowBlocks, rowBlocks, rowBytes, rowsIn } from '../safetensors/streamed-tensor.js';
import { checkByteOrder, emptyTensor, wrongBool } from '../safetensors/tensor-bytes.js';
import { ByteStream } from './byte-stream.js';
import {
  InvalidNumpyFile,
  lengthBytesOf,
  MAX_NPY_HEADER_BYTES,
  NPY_PREFIX_BYTES,
  type NpyHeader,
  parseNpyHeader,
} from './npy-header.js';

/** Where the bytes of one `.npy` array come from. */
export interface NpyBytes {
  /** Names it in errors. */
  readonly where: string;
  /** As it is said; whether there are as many is not known before they are read. */
  readonly sizeBytes: number;
  /** They are at least as many as are said: the array may be allocated at once. */
  readonly present: boolean;
  /** The bytes, from the first. Whoever gives them checks what it knows of them, and may throw. */
  pieces(): AsyncIterable<Uint8Array>;
}

/** A `.npy` array of which the header has been read. */
export class NpyArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly #bytes: NpyBytes;
  readonly #header: NpyHeader;

  private constructor(bytes: NpyBytes, header: NpyHeader) {
    this.dtype = header.dtype;
    this.shape = header.shape;
    this.#bytes = bytes;
    this.#header = header;
  }

  /** Reads the header. @throws InvalidNumpyFile */
  static async open(bytes: NpyBytes): Promise<NpyArray> {
    checkByteOrder();
    const stream = new ByteStream(bytes.pieces());
    try {
      return new NpyArray(bytes, await readHeader(bytes, stream));
    } finally {
      await stream.close();
    }
  }

  /** All of it, in row-major order. @throws InvalidNumpyFile */
  async read(): Promise<NdArray> {
    const stream = await this.#atData();
    try {
      const { dtype, shape, dataBytes } = this.#header;
      const tensor = this.#bytes.present
        ? await this.#next(stream, shape)
        : ndarray(dtype, shape, await this.#gathered(stream, dataBytes));
      await this.#checkEnded(stream);
      return this.#header.fortranOrder ? rowMajor(tensor) : tensor;
    } finally {
      await stream.close();
    }
  }

  /**
   * As {@link RowBlocks} says, each block an array of its own. One in Fortran order, whose rows do not lie together, is read whole
   * before the first.
   *
   * @throws InvalidNumpyFile; RangeError for rows that there are not, and for a scalar
   */
  async *blocks(options: RowBlocks = {}): AsyncGenerator<NdArray> {
    const places = rowBlocks(this.#bytes.where, this, options);
    if (this.#header.fortranOrder) {
      const whole = await this.read();
      for (const [start, stop] of places) yield rowsIn(whole, start, stop);
      return;
    }
    const stream = await this.#atData();
    const row = this.shape.slice(1);
    try {
      await this.#skip(stream, (options.start ?? 0) * rowBytes(this.dtype, this.shape));
      let last = 0;
      for (const [start, stop] of places) {
        yield await this.#next(stream, [stop - start, ...row]);
        last = stop;
      }
      if (last === this.shape[0]) await this.#checkEnded(stream);
    } finally {
      await stream.close();
    }
  }

  async #atData(): Promise<ByteStream> {
    const stream = new ByteStream(this.#bytes.pieces());
    try {
      await readHeader(this.#bytes, stream);
      return stream;
    } catch (error) {
      await stream.close();
      throw error;
    }
  }

  async #next(stream: ByteStream, shape: readonly number[]): Promise<NdArray> {
    const { tensor, raw } = emptyTensor(this.dtype, shape);
    this.#checkFilled(raw, await stream.fill(raw));
    return tensor;
  }

  /** The elements of which it is not known how many there are: memory is taken for those that have come. */
  async #gathered(stream: ByteStream, dataBytes: number): Promise<NdArray['data']> {
    const parts: Buffer[] = [];
    for (let gathered = 0; gathered < dataBytes;) {
      const most = Math.min(Math.max(FIRST_PART_BYTES, gathered), PART_BYTES);
      const part = Buffer.alloc(Math.min(dataBytes - gathered, most));
      if ((await stream.fill(part)) < part.byteLength) throw this.#endsEarly();
      parts.push(part);
      gathered += part.byteLength;
    }
    const { tensor, raw } = emptyTensor(this.dtype, this.shape);
    let start = 0;
    for (const part of parts) {
      raw.set(part, start);
      start += part.byteLength;
    }
    this.#checkFilled(raw, start);
    return tensor.data;
  }

  async #skip(stream: ByteStream, bytes: number): Promise<void> {
    if (bytes === 0) return;
    const part = Buffer.alloc(Math.min(bytes, PART_BYTES));
    for (let left = bytes; left > 0;) {
      const wanted = Math.min(left, part.byteLength);
      if ((await stream.fill(part.subarray(0, wanted))) < wanted) throw this.#endsEarly();
      left -= wanted;
    }
  }

  #checkFilled(raw: Uint8Array, filled: number): void {
    if (filled < raw.byteLength) throw this.#endsEarly();
    if (this.#header.bigEndian) swap(raw, dtypeBytes(this.dtype));
    const wrong = wrongBool(this.dtype, raw);
    if (wrong !== undefined) throw new InvalidNumpyFile(`${this.#bytes.where}: the array ${wrong}`);
  }

  async #checkEnded(stream: ByteStream): Promise<void> {
    if (await stream.ended()) return;
    throw new InvalidNumpyFile(`${this.#bytes.where}: there are bytes after the array; the file is corrupt`);
  }

  #endsEarly(): Error {
    return new InvalidNumpyFile(
      `${this.#bytes.where}: the bytes end before the array does; the file is truncated or corrupt`,
    );
  }
}

const PART_BYTES = 1 << 20;

// A size may be a lie: no more is allocated than has come before.
const FIRST_PART_BYTES = 1 << 16;

async function readHeader({ where, sizeBytes }: NpyBytes, stream: ByteStream): Promise<NpyHeader> {
  const take = async (length: number): Promise<Buffer> => {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, await stream.fill(bytes));
  };
  const lengthBytes = lengthBytesOf(where, await take(NPY_PREFIX_BYTES));
  const length = await take(lengthBytes);
  const headerBytes = length.byteLength < lengthBytes ? 0 : length.readUIntLE(0, lengthBytes);
  if (headerBytes > MAX_NPY_HEADER_BYTES) {
    throw new InvalidNumpyFile(
      `${where}: the header claims ${headerBytes} bytes, more than the ${MAX_NPY_HEADER_BYTES} allowed; the file is corrupt`,
    );
  }
  const dataBytes = sizeBytes - NPY_PREFIX_BYTES - lengthBytes - headerBytes;
  const text = await take(dataBytes < 0 ? 0 : headerBytes);
  if (headerBytes === 0 || text.byteLength < headerBytes) {
    throw new InvalidNumpyFile(`${where}: the bytes end within the header; the file is truncated or corrupt`);
  }
  const header = parseNpyHeader(where, text.toString('utf8'));
  if (dataBytes !== header.dataBytes) {
    throw new InvalidNumpyFile(
      `${where}: the array of ${header.dtype} needs ${header.dataBytes} bytes but ${dataBytes} follow the header; the file is truncated or corrupt`,
    );
  }
  return header;
}

function swap(raw: Uint8Array, elementBytes: number): void {
  const buffer = bufferOf(raw);
  if (elementBytes === 2) buffer.swap16();
  else if (elementBytes === 4) buffer.swap32();
  else if (elementBytes === 8) buffer.swap64();
}

function bufferOf({ buffer, byteOffset, byteLength }: NdArray['data']): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** The same array whose elements lay in column-major order. */
function rowMajor({ dtype, shape, data }: NdArray): NdArray {
  const tensor = ndarray(dtype, shape);
  const elementBytes = dtypeBytes(dtype);
  const [from, to] = [bufferOf(data), bufferOf(tensor.data)];
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  const index = shape.map(() => 0);
  for (let element = 0, source = 0; element < data.length; element += 1) {
    from.copy(to, element * elementBytes, source * elementBytes, (source + 1) * elementBytes);
    source = advance(index, shape, strides, source);
  }
  return tensor;
}

/** Moves `index` to the next place in row-major order, and answers where that lies in column-major order. */
function advance(index: number[], shape: readonly number[], strides: readonly number[], source: number): number {
  let moved = source;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const [dimension = 0, stride = 0, at = 0] = [shape[axis], strides[axis], index[axis]];
    if (at + 1 < dimension) {
      index[axis] = at + 1;
      return moved + stride;
    }
    index[axis] = 0;
    moved -= at * stride;
  }
  return moved;
}
