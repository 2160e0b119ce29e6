import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

import { readPieces, type WrittenFile, writeWhole } from '../durable-file.js';
import {
  ContentMismatch,
  type GivenFile,
  ObjectAbsent,
  type ObjectBody,
  type PutOptions,
  type TransferOptions,
} from './object-store.js';

/** The bytes of a body, a chunk at a time; each is valid only until the next is asked for. */
export function chunksOf(body: ObjectBody): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (body instanceof Uint8Array) return [body];
  if ('stream' in body) return body.stream;
  return readPieces('path' in body ? body.path : body.handle, body.mostBytes);
}

/** The chunks, of each of which is told when it has been taken; none after the signal. */
export async function* telling(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { signal, onMoved }: TransferOptions,
): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    yield chunk;
    onMoved?.();
  }
  signal?.throwIfAborted();
}

/** The chunks of a body for an object: as {@link telling}, and no more than were expected, whatever a stream goes on to give. */
export async function* bodyFor(key: string, body: ObjectBody, options: PutOptions): AsyncGenerator<Uint8Array> {
  const { expected = {} } = options;
  let sizeBytes = 0;
  for await (const chunk of telling(chunksOf(body), options)) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > (expected.sizeBytes ?? Infinity)) throw new ContentMismatch(key, expected);
    yield chunk;
  }
}

/** What a body is known to be, of a file that is given. */
export function givenIn(body: ObjectBody): (GivenFile & { readonly handle: FileHandle }) | undefined {
  if (body instanceof Uint8Array || !('handle' in body) || body.given === undefined) return undefined;
  return { handle: body.handle, ...body.given };
}

/** Whether a given file has not been written since its last byte was read. */
export function isAsRead({ content, mtimeNs }: GivenFile, found: Pick<BigIntStats, 'size' | 'mtimeNs'>): boolean {
  return found.size === BigInt(content.sizeBytes) && found.mtimeNs === mtimeNs;
}

/** Writes the chunks of an object to a local file, as `ObjectStore.download` does. */
export async function downloadTo(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  options: TransferOptions,
): Promise<WrittenFile | undefined> {
  try {
    const hash = createHash('sha256');
    const sizeBytes = await writeWhole(path, telling(chunks, options), { hash });
    return { sha256: hash.digest('hex'), sizeBytes };
  } catch (error) {
    if (error instanceof ObjectAbsent) return undefined;
    throw error;
  }
}
