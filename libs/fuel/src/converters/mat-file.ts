import { open } from 'node:fs/promises';
import { inflateSync } from 'node:zlib';
import { CorruptInput } from '../errors.js';

/** A matrix of whole numbers from 0 to 255. */
export interface ByteMatrix {
  readonly rows: number;
  readonly columns: number;
  /** `(rows, columns)`, row by row. */
  readonly data: Uint8Array;
}

/**
 * Matrices of a MATLAB file of level 5 (`save -v6` and `-v7`), by name. What else is in the file is passed over. A file and what is
 * compressed in it may have {@link MOST_BYTES} each.
 *
 * @returns the matrix of each name; asked for one that the file lacks it throws CorruptInput
 * @throws CorruptInput when it is not such a file, or one of them is not a matrix of whole numbers from 0 to 255
 */
export async function readMatrices<Name extends string>(
  path: string,
  names: readonly Name[],
): Promise<(name: Name) => ByteMatrix> {
  const bytes = await readBounded(path);
  const found = new Map<string, ByteMatrix>();
  try {
    const isLittle = littleEndian(bytes);
    for (const element of elementsOf(bytes.subarray(HEADER_BYTES), isLittle, true)) {
      const matrix = matrixIn(element, isLittle, names);
      if (matrix !== undefined) found.set(...matrix);
    }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new CorruptInput(path, `${error.message}; download it again`, { cause: error });
  }
  return (name) => {
    const matrix = found.get(name);
    if (matrix !== undefined) return matrix;
    throw new CorruptInput(path, `has no matrix ${name}; give the file that is published`);
  };
}

/** Far more than any of these datasets has, and little enough to be held in memory. */
export const MOST_BYTES = 256 * 2 ** 20;
const HEADER_BYTES = 128;
const TAG_BYTES = 8;
const MATRIX = 14;
const COMPRESSED = 15;
/** Classes of arrays of numbers: double, single, and the integers. */
const FIRST_NUMERIC_CLASS = 6;
const LAST_NUMERIC_CLASS = 15;
const COMPLEX = 0x08_00;

/** What is wrong with a file, as the rest of a sentence that starts with its path. */
class Malformed extends Error {
  override readonly name = 'Malformed';
}

/** One piece of a file: what type it has, by MATLAB's numbers, and its bytes. */
interface Element {
  readonly type: number;
  readonly bytes: Buffer;
}

async function readBounded(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > MOST_BYTES)
      throw new CorruptInput(path, `has ${size} bytes, more than the ${MOST_BYTES} of any that is published`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function littleEndian(bytes: Buffer): boolean {
  if (bytes.length < HEADER_BYTES || !bytes.toString('latin1', 0, 6).startsWith('MATLAB'))
    throw new Malformed('is not a MATLAB file of level 5');
  const mark = bytes.toString('latin1', 126, 128);
  const isLittle = mark === 'IM';
  const version = isLittle ? bytes.readUInt16LE(124) : bytes.readUInt16BE(124);
  if ((mark !== 'IM' && mark !== 'MI') || version !== 0x01_00)
    throw new Malformed(`is a MATLAB file of version 0x${version.toString(16)}, but 0x100 is read`);
  return isLittle;
}

/** The elements in some bytes; at the top of a file, those that were compressed as what they are. */
function* elementsOf(bytes: Buffer, isLittle: boolean, isTop = false): Generator<Element, void, undefined> {
  for (let at = 0; at < bytes.length;) {
    if (at + TAG_BYTES > bytes.length) throw new Malformed('ends within an element');
    const word = uint32(bytes, at, isLittle);
    // Up to four bytes lie in the tag itself, with their number in the upper half of its first word.
    const isSmall = word >>> 16 !== 0;
    const type = isSmall ? word & 0xff_ff : word;
    const size = isSmall ? word >>> 16 : uint32(bytes, at + 4, isLittle);
    const start = at + (isSmall ? 4 : TAG_BYTES);
    const stop = start + size;
    if ((isSmall && size > 4) || stop > bytes.length) throw new Malformed('ends within an element');
    const content = bytes.subarray(start, stop);
    if (type === COMPRESSED && isTop) yield* elementsOf(inflated(content), isLittle);
    else yield { type, bytes: content };
    // Compressed elements are not padded.
    if (isSmall) at += TAG_BYTES;
    else at = type === COMPRESSED ? stop : start + Math.ceil(size / 8) * 8;
  }
}

function inflated(bytes: Buffer): Buffer {
  try {
    return inflateSync(bytes, { maxOutputLength: MOST_BYTES });
  } catch (error) {
    throw new Malformed(`cannot be decompressed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A matrix and its name; undefined for what is not asked for. */
function matrixIn(element: Element, isLittle: boolean, names: readonly string[]): [string, ByteMatrix] | undefined {
  if (element.type !== MATRIX) return undefined;
  const [flags, dimensions, label, values] = elementsOf(element.bytes, isLittle);
  if (flags === undefined || dimensions === undefined || label === undefined || flags.bytes.length < 4)
    throw new Malformed('has an array without a name');
  const name = label.bytes.toString('latin1');
  if (!names.includes(name)) return undefined;
  const flag = uint32(flags.bytes, 0, isLittle);
  const kind = flag & 0xff;
  if (kind < FIRST_NUMERIC_CLASS || kind > LAST_NUMERIC_CLASS || (flag & COMPLEX) !== 0 || values === undefined)
    throw new Malformed(`has ${name}, which is not an array of real numbers`);
  if (dimensions.bytes.length !== 8) throw new Malformed(`has ${name}, which has not two axes`);
  const rows = uint32(dimensions.bytes, 0, isLittle);
  const columns = uint32(dimensions.bytes, 4, isLittle);
  const byColumn = bytesOf(values, isLittle, name);
  if (byColumn.length !== rows * columns)
    throw new Malformed(`has ${name} of ${rows} x ${columns} with ${byColumn.length} numbers`);
  const data = new Uint8Array(byColumn.length);
  for (let column = 0; column < columns; column += 1)
    for (let row = 0; row < rows; row += 1) data[row * columns + column] = byColumn[column * rows + row] ?? 0;
  return [name, { rows, columns, data }];
}

/** How wide the numbers of a type are, and how one is read. MATLAB stores an array as the narrowest type that holds its values. */
const NUMBER_TYPES: ReadonlyMap<number, readonly [number, (view: DataView, at: number, isLittle: boolean) => number]> =
  new Map([
    [1, [1, (view, at) => view.getInt8(at)]],
    [2, [1, (view, at) => view.getUint8(at)]],
    [3, [2, (view, at, isLittle) => view.getInt16(at, isLittle)]],
    [4, [2, (view, at, isLittle) => view.getUint16(at, isLittle)]],
    [5, [4, (view, at, isLittle) => view.getInt32(at, isLittle)]],
    [6, [4, (view, at, isLittle) => view.getUint32(at, isLittle)]],
    [7, [4, (view, at, isLittle) => view.getFloat32(at, isLittle)]],
    [9, [8, (view, at, isLittle) => view.getFloat64(at, isLittle)]],
    [12, [8, (view, at, isLittle) => Number(view.getBigInt64(at, isLittle))]],
    [13, [8, (view, at, isLittle) => Number(view.getBigUint64(at, isLittle))]],
  ]);

function bytesOf({ type, bytes }: Element, isLittle: boolean, name: string): Uint8Array {
  const [width, read] = NUMBER_TYPES.get(type) ?? [0, undefined];
  if (read === undefined || bytes.length % width !== 0) throw new Malformed(`has ${name} in numbers of type ${type}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Uint8Array.from({ length: bytes.length / width }, (_, index) => {
    const value = read(view, index * width, isLittle);
    if (Number.isInteger(value) && value >= 0 && value <= 255) return value;
    throw new Malformed(`has ${value} in ${name}, where whole numbers from 0 to 255 are expected`);
  });
}

function uint32(bytes: Buffer, at: number, isLittle: boolean): number {
  return isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
}
