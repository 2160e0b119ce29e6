import { type DType, dtypeBytes, type NdArray, sizeOf } from '../ndarray.js';
import { duplicateKey } from './header-json.js';
import { shown } from '../shown.js';
import type { StreamedTensor } from './streamed-tensor.js';

/** Where a tensor lies in a safetensors file. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** First byte, counted from the end of the header. */
  readonly begin: number;
  /** Byte after the last one, counted from the end of the header. */
  readonly end: number;
}

/** What the header of a safetensors file says: the tensors in the order of their bytes, and free text by key. */
export interface SafetensorsHeader {
  readonly entries: readonly TensorEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** A file is not valid safetensors. The message names the file and says what is wrong with it. */
export class InvalidSafetensors extends Error {
  override readonly name = 'InvalidSafetensors';
}

/** Bytes of the number before the header that gives the header's length. */
export const LENGTH_BYTES = 8;

/** A longer header is refused, as by the reference implementation. */
export const MAX_HEADER_BYTES = 100_000_000;

/**
 * Lays out tensors as the reference implementation does: widest dtype first, then by name, so that equal tensors make equal
 * bytes and each lies at a multiple of its element size.
 */
export function layOut(tensors: ReadonlyMap<string, NdArray | StreamedTensor>): TensorEntry[] {
  const ordered = [...tensors].toSorted(
    ([nameA, a], [nameB, b]) =>
      DTYPE_ORDER.indexOf(b.dtype) - DTYPE_ORDER.indexOf(a.dtype) || compareUtf8(nameA, nameB),
  );
  let begin = 0;
  return ordered.map(([name, tensor]) => {
    checkName(name);
    const { dtype, shape } = tensor;
    const size = sizeOf(shape);
    if ('data' in tensor && tensor.data.length !== size) {
      throw new RangeError(
        `safetensors: tensor ${JSON.stringify(name)} has shape (${shape.join(', ')}) but ${tensor.data.length} elements`,
      );
    }
    const entry = { name, dtype, shape, begin, end: begin + size * dtypeBytes(dtype) };
    begin = entry.end;
    return entry;
  });
}

/** The length and the header, padded with spaces so that the tensors start at a multiple of 8. */
export function encodeHeader(entries: readonly TensorEntry[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const texts = entries.map(
    ({ name, dtype, shape, begin, end }) =>
      `${JSON.stringify(name)}:${JSON.stringify({ dtype: FORMAT_NAMES[dtype], shape, data_offsets: [begin, end] })}`,
  );
  const pairs = Object.entries(metadata).toSorted(([a], [b]) => compareUtf8(a, b));
  if (pairs.length > 0) {
    const text = pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',');
    texts.unshift(`"${METADATA_KEY}":{${text}}`);
  }
  const json = Buffer.from(`{${texts.join(',')}}`);
  const headerBytes = Math.ceil(json.byteLength / LENGTH_BYTES) * LENGTH_BYTES;
  if (headerBytes > MAX_HEADER_BYTES) {
    throw new RangeError(
      `safetensors: the header would have ${headerBytes} bytes, more than ${MAX_HEADER_BYTES}; write fewer tensors to a file`,
    );
  }
  const bytes = Buffer.alloc(LENGTH_BYTES + headerBytes, ' ');
  bytes.writeBigUInt64LE(BigInt(headerBytes), 0);
  json.copy(bytes, LENGTH_BYTES);
  return bytes;
}

/**
 * Reads the length of the header and checks it against the size of the file.
 *
 * @throws InvalidSafetensors
 */
export function decodeHeaderLength(where: string, bytes: Uint8Array, fileBytes: number): number {
  if (bytes.byteLength < LENGTH_BYTES) {
    throw new InvalidSafetensors(
      `${where}: ${fileBytes} bytes are too few for a safetensors file, which starts with ${LENGTH_BYTES} bytes of length`,
    );
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new InvalidSafetensors(
      `${where}: the header claims ${length} bytes, more than the ${MAX_HEADER_BYTES} allowed; this is no safetensors file, or it is corrupt`,
    );
  }
  if (LENGTH_BYTES + Number(length) > fileBytes) {
    throw new InvalidSafetensors(
      `${where}: the header claims ${length} bytes but only ${fileBytes - LENGTH_BYTES} follow; the file is truncated or corrupt`,
    );
  }
  return Number(length);
}

/**
 * Reads the header and checks that the tensors fill the `dataBytes` bytes after it without hole or overlap, each with the
 * bytes that its dtype and shape need.
 *
 * @throws InvalidSafetensors
 */
export function decodeHeader(where: string, header: Uint8Array, dataBytes: number): SafetensorsHeader {
  const parsed = parseJson(where, header);
  const entries: TensorEntry[] = [];
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, value] of Object.entries(parsed)) {
    if (name === METADATA_KEY) metadata = checkMetadata(where, value);
    else entries.push(checkEntry(where, name, value));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(where, entries, dataBytes);
  return { entries, metadata };
}

const METADATA_KEY = '__metadata__';

const FORMAT_NAMES: { readonly [D in DType]: string } = {
  float32: 'F32',
  float64: 'F64',
  int8: 'I8',
  int16: 'I16',
  int32: 'I32',
  int64: 'I64',
  uint8: 'U8',
  uint16: 'U16',
  uint32: 'U32',
  bool: 'BOOL',
};

// The order of the reference implementation's enumeration, narrow to wide: bytes are equal to its bytes.
const DTYPE_ORDER: readonly DType[] = [
  'bool',
  'uint8',
  'int8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'float32',
  'float64',
  'int64',
];

const DTYPES = new Map<unknown, DType>(DTYPE_ORDER.map((dtype) => [FORMAT_NAMES[dtype], dtype]));

function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function checkName(name: string): void {
  if (name === METADATA_KEY) throw new RangeError(`safetensors: a tensor cannot be named ${METADATA_KEY}; rename it`);
  if (Buffer.from(name).toString() !== name) {
    throw new RangeError(`safetensors: the name ${JSON.stringify(name)} is not well-formed Unicode; rename the tensor`);
  }
}

function parseJson(where: string, header: Uint8Array): Record<string, unknown> {
  let text: string;
  let parsed: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
    parsed = JSON.parse(text);
  } catch (error) {
    throw new InvalidSafetensors(`${where}: the header is not JSON (${messageOf(error)}); the file is corrupt`, {
      cause: error,
    });
  }
  if (!isRecord(parsed)) throw new InvalidSafetensors(`${where}: the header is not a JSON object; the file is corrupt`);
  const duplicate = duplicateKey(text);
  if (duplicate !== undefined) {
    throw new InvalidSafetensors(
      `${where}: the header names ${duplicate.slice(0, 120)} twice, so it is unclear which one is meant`,
    );
  }
  return parsed;
}

function checkMetadata(where: string, value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value) || !isRecordOfTexts(value)) {
    throw new InvalidSafetensors(`${where}: ${METADATA_KEY} is not an object of texts; the file is corrupt`);
  }
  return value;
}

function checkEntry(where: string, name: string, value: unknown): TensorEntry {
  const what = `${where}: tensor ${shown(name)}`;
  if (!isRecord(value)) throw new InvalidSafetensors(`${what} is not described by an object; the file is corrupt`);
  const dtype = DTYPES.get(value['dtype']);
  if (dtype === undefined) {
    throw new InvalidSafetensors(
      `${what} has dtype ${shown(value['dtype'])}; this build reads ${[...DTYPES.keys()].join(', ')}`,
    );
  }
  const { shape, data_offsets: offsets } = value;
  if (!isCounts(shape)) {
    throw new InvalidSafetensors(`${what} has shape ${shown(shape)}, which is no list of integers of 0 or more`);
  }
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw new InvalidSafetensors(`${what} has data_offsets ${shown(offsets)}, which are not two byte positions`);
  }
  const [begin = 0, end = 0] = offsets;
  const needed = shape.reduce((product, dimension) => product * dimension, dtypeBytes(dtype));
  if (end - begin !== needed) {
    throw new InvalidSafetensors(
      `${what} has shape (${shown(shape).slice(1, -1).replaceAll(',', ', ')}) of ${dtype}, which needs ${needed} bytes, but its data_offsets ` +
        `[${begin}, ${end}] hold ${end - begin}; the file is corrupt`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function checkCoverage(where: string, entries: readonly TensorEntry[], dataBytes: number): void {
  let position = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== position) {
      const kind = begin < position ? 'overlaps the one before it' : 'leaves a hole before it';
      throw new InvalidSafetensors(
        `${where}: tensor ${shown(name)} begins at byte ${begin} of the data but the ones before end at ` +
          `${position}: it ${kind}; the file is corrupt`,
      );
    }
    position = end;
  }
  if (position > dataBytes) {
    throw new InvalidSafetensors(
      `${where}: the tensors need ${position} bytes of data but only ${dataBytes} follow the header; the file is truncated`,
    );
  }
  if (position < dataBytes) {
    throw new InvalidSafetensors(
      `${where}: ${dataBytes} bytes of data follow the header but the tensors end at ${position}; the file is corrupt`,
    );
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRecordOfTexts(value: Record<string, unknown>): value is Record<string, string> {
  return Object.values(value).every((text) => typeof text === 'string');
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
