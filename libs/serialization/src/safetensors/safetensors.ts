import { writeDurably, type WrittenFile } from '../durable-file.js';
import type { NdArray } from '../ndarray.js';
import {
  decodeHeader,
  decodeHeaderLength,
  encodeHeader,
  InvalidSafetensors,
  layOut,
  LENGTH_BYTES,
  type TensorEntry,
} from './header.js';
import { openSafetensors } from './safetensors-file.js';
import { bytesOfBlocks, type StreamedTensor } from './streamed-tensor.js';
import { checkByteOrder, emptyTensor, rawBytes, wrongBool } from './tensor-bytes.js';

/** What a safetensors file holds: tensors by name, in the order of their bytes, and free text by key. */
export interface Safetensors {
  readonly tensors: Map<string, NdArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Writes tensors to a safetensors file (https://huggingface.co/docs/safetensors), readable by its libraries for NumPy, PyTorch
 * and JAX. Equal tensors make equal bytes, the same as those libraries make. The file appears complete and on disk, or not
 * at all. The tensors are streamed, not copied: do not change them before the promise settles. One that need not fit in memory is
 * asked for its blocks as its place in the file is come to.
 *
 * @param onTensor called as each tensor, or block of one, is come to
 * @throws RangeError where a tensor is not what its shape says, and no file is written
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, NdArray | StreamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
  onTensor: () => void = () => {},
): Promise<WrittenFile> {
  return writeDurably(path, safetensorsChunks(tensors, metadata, onTensor));
}

/** The bytes that {@link writeSafetensors} writes, a chunk at a time, for whoever writes them otherwise. */
export function safetensorsChunks(
  tensors: ReadonlyMap<string, NdArray | StreamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
  onTensor: () => void = () => {},
): AsyncGenerator<Uint8Array> {
  checkByteOrder();
  const entries = layOut(tensors);
  return writtenChunks(tensors, entries, encodeHeader(entries, metadata), onTensor);
}

async function* writtenChunks(
  tensors: ReadonlyMap<string, NdArray | StreamedTensor>,
  entries: readonly TensorEntry[],
  header: Uint8Array,
  onChunk: () => void,
): AsyncGenerator<Uint8Array> {
  onChunk();
  yield header;
  for (const { name } of entries) {
    const tensor = tensors.get(name);
    if (tensor === undefined) continue;
    for await (const chunk of 'data' in tensor ? [rawBytes(tensor)] : bytesOfBlocks(name, tensor)) {
      onChunk();
      yield chunk;
    }
  }
}

/** The bytes of a safetensors file of these tensors. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, NdArray>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  checkByteOrder();
  const entries = layOut(tensors);
  const chunks = [encodeHeader(entries, metadata)];
  for (const { name } of entries) {
    const tensor = tensors.get(name);
    if (tensor !== undefined) chunks.push(rawBytes(tensor));
  }
  return Buffer.concat(chunks);
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
    const { tensor, raw } = emptyTensor(entry.dtype, entry.shape);
    raw.set(bytes.subarray(dataStart + entry.begin, dataStart + entry.end));
    const wrong = wrongBool(entry.dtype, raw);
    if (wrong !== undefined) throw new InvalidSafetensors(`${where}: tensor ${JSON.stringify(entry.name)} ${wrong}`);
    tensors.set(entry.name, tensor);
  }
  return { tensors, metadata };
}

/**
 * Reads all of a safetensors file of any size, each tensor into a buffer of its own; {@link openSafetensors} reads parts.
 *
 * @throws InvalidSafetensors with the path and what is wrong.
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  const file = await openSafetensors(path);
  try {
    const tensors = new Map<string, NdArray>();
    const names = [...file.tensors.keys()];
    for (let start = 0; start < names.length; start += TENSORS_AT_ONCE) {
      const some = names.slice(start, start + TENSORS_AT_ONCE);
      const read = await Promise.all(some.map(async (name) => [name, await file.read(name)] as const));
      for (const [name, tensor] of read) tensors.set(name, tensor);
    }
    return { tensors, metadata: file.metadata };
  } finally {
    await file.close();
  }
}

/** As many as Node has threads for reading. */
const TENSORS_AT_ONCE = 4;
