import { type FileHandle, open } from 'node:fs/promises';
import { endianness } from 'node:os';

import { writeDurably, type WrittenFile } from '../durable-file.js';
import { type NdArray, sizeOf, typedArrayConstructor } from '../ndarray.js';
import {
  decodeHeader,
  decodeHeaderLength,
  encodeHeader,
  InvalidSafetensors,
  layOut,
  LENGTH_BYTES,
  type TensorEntry,
} from './header.js';

/** What a safetensors file holds: tensors by name, in the order of their bytes, and free text by key. */
export interface Safetensors {
  readonly tensors: Map<string, NdArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Writes tensors to a safetensors file (https://huggingface.co/docs/safetensors), readable by its libraries for NumPy, PyTorch
 * and JAX. Equal tensors make equal bytes, the same as those libraries make. The file appears complete and on disk, or not
 * at all. The tensors are streamed, not copied: do not change them before the promise settles.
 *
 * @param onTensor called as each tensor is come to
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, NdArray>,
  metadata: Readonly<Record<string, string>> = {},
  onTensor: () => void = () => {},
): Promise<WrittenFile> {
  return writeDurably(path, told(encodedChunks(tensors, metadata), onTensor));
}

function* told(chunks: readonly Uint8Array[], onChunk: () => void): Generator<Uint8Array> {
  for (const chunk of chunks) {
    onChunk();
    yield chunk;
  }
}

/** The bytes of a safetensors file of these tensors. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, NdArray>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  return Buffer.concat(encodedChunks(tensors, metadata));
}

/**
 * The tensors in the bytes of a safetensors file, copied out of them.
 *
 * @throws InvalidSafetensors with what is wrong; `where` names the bytes in its message.
 */
export function decodeSafetensors(bytes: Uint8Array, where = 'safetensors'): Safetensors {
  checkByteOrder();
  const headerBytes = decodeHeaderLength(where, bytes, bytes.byteLength);
  const dataStart = LENGTH_BYTES + headerBytes;
  const { entries, metadata } = decodeHeader(
    where,
    bytes.subarray(LENGTH_BYTES, dataStart),
    bytes.byteLength - dataStart,
  );
  const tensors = new Map<string, NdArray>();
  for (const entry of entries) {
    const { tensor, raw } = emptyTensor(entry);
    raw.set(bytes.subarray(dataStart + entry.begin, dataStart + entry.end));
    checkValues(where, entry, raw);
    tensors.set(entry.name, tensor);
  }
  return { tensors, metadata };
}

/**
 * Reads a safetensors file of any size, each tensor into a buffer of its own.
 *
 * @throws InvalidSafetensors with the path and what is wrong.
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  checkByteOrder();
  const file = await open(path, 'r');
  try {
    const fileBytes = (await file.stat()).size;
    const length = new Uint8Array(Math.min(LENGTH_BYTES, fileBytes));
    await readFully(path, file, length, 0);
    const header = new Uint8Array(decodeHeaderLength(path, length, fileBytes));
    await readFully(path, file, header, LENGTH_BYTES);
    const dataStart = LENGTH_BYTES + header.byteLength;
    const { entries, metadata } = decodeHeader(path, header, fileBytes - dataStart);
    const tensors = new Map<string, NdArray>();
    for (const entry of entries) {
      const { tensor, raw } = emptyTensor(entry);
      await readFully(path, file, raw, dataStart + entry.begin);
      checkValues(path, entry, raw);
      tensors.set(entry.name, tensor);
    }
    return { tensors, metadata };
  } finally {
    await file.close();
  }
}

function encodedChunks(
  tensors: ReadonlyMap<string, NdArray>,
  metadata: Readonly<Record<string, string>>,
): readonly Uint8Array[] {
  checkByteOrder();
  const entries = layOut(tensors);
  const chunks = [encodeHeader(entries, metadata)];
  for (const { name } of entries) {
    const tensor = tensors.get(name);
    if (tensor !== undefined) chunks.push(rawBytes(tensor));
  }
  return chunks;
}

function emptyTensor({ dtype, shape }: TensorEntry): { tensor: NdArray; raw: Uint8Array } {
  const data = new (typedArrayConstructor(dtype))(sizeOf(shape));
  const tensor = { dtype, shape, data };
  return { tensor, raw: rawBytes(tensor) };
}

function rawBytes({ data }: NdArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

async function readFully(path: string, file: FileHandle, target: Uint8Array, position: number): Promise<void> {
  for (let start = 0; start < target.byteLength;) {
    const length = Math.min(target.byteLength - start, MAX_READ_BYTES);
    const { bytesRead } = await file.read(target, start, length, position + start);
    if (bytesRead === 0) {
      throw new InvalidSafetensors(
        `${path}: the file ended at byte ${position + start} while it was read; write it anew`,
      );
    }
    start += bytesRead;
  }
}

// Node refuses to read 2 GiB at once.
const MAX_READ_BYTES = 1 << 30;

function checkValues(where: string, { name, dtype }: TensorEntry, raw: Uint8Array): void {
  if (dtype !== 'bool') return;
  const index = raw.findIndex((byte) => byte > 1);
  if (index < 0) return;
  throw new InvalidSafetensors(
    `${where}: tensor ${JSON.stringify(name)} of bool has the byte ${raw[index]} at ${index}; only 0 and 1 are allowed`,
  );
}

function checkByteOrder(): void {
  if (endianness() === 'LE') return;
  throw new Error('safetensors: the format is little-endian and this machine is not; use a little-endian machine');
}
