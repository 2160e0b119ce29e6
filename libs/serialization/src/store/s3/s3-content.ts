import { createHash } from 'node:crypto';

import type { WrittenFile } from '../../durable-file.js';

/** A part of an object's bytes. */
export interface Part {
  /** From 1. */
  readonly number: number;
  readonly bytes: Buffer;
  readonly isLast: boolean;
  /** Gives its memory back, for parts to come: nobody looks at its bytes any more. What is never given back stays as it is. */
  readonly release: () => void;
}

/**
 * The chunks as parts, at least one, which may be empty. Their sizes depend on their numbers alone, so that an upload can be gone on with: 8
 * MiB each, twice that from the 1,001st, and so on, as an upload has 10,000 at most.
 */
export async function* partsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Part> {
  const free: Buffer<ArrayBuffer>[] = [];
  let number = 1;
  let filled = 0;
  let bytes = EMPTY;
  const part = (isLast: boolean): Part => {
    const memory = bytes;
    return { number, bytes: memory.subarray(0, filled), isLast, release: () => void free.push(memory) };
  };
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.byteLength;) {
      if (filled === partBytes(number)) {
        yield part(false);
        number += 1;
        filled = 0;
        bytes = EMPTY;
      }
      const piece = chunk.subarray(start, start + partBytes(number) - filled);
      if (filled + piece.byteLength > bytes.byteLength) {
        // Room for a whole part as soon as there is more than one piece of it, so that few bytes are copied twice.
        const isSmall = number === 1 && filled === 0;
        const larger = isSmall ? Buffer.allocUnsafe(piece.byteLength) : memoryOf(partBytes(number), free);
        bytes.copy(larger, 0, 0, filled);
        bytes = larger;
      }
      bytes.set(piece, filled);
      filled += piece.byteLength;
      start += piece.byteLength;
    }
  }
  yield part(true);
}

/** Of a part that was given back, if it is as large: each other one has to be found by the system, zeroed, and collected later. */
function memoryOf(bytes: number, free: Buffer<ArrayBuffer>[]): Buffer<ArrayBuffer> {
  const known = free.pop();
  return known?.byteLength === bytes ? known : Buffer.allocUnsafeSlow(bytes);
}

const EMPTY = Buffer.alloc(0);

function partBytes(number: number): number {
  return SMALLEST_PART_BYTES * 2 ** Math.floor((number - 1) / 1_000);
}

const SMALLEST_PART_BYTES = 8 << 20;

/** What can be said of bytes as they are sent, so that the other side can tell whether they have arrived. */
export interface Digests {
  readonly ContentMD5: string;
  readonly ChecksumSHA256: string;
}

/** Of the bytes of one request: each is taken when it is first asked for, as no server looks at both. The bytes must not change until then. */
export class DigestsOfBytes implements Digests {
  readonly #bytes: Uint8Array;
  #md5: Buffer | undefined;
  #sha256: Buffer | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get ContentMD5(): string {
    return this.#md5Of().toString('base64');
  }

  get ChecksumSHA256(): string {
    return this.#sha256Of().toString('base64');
  }

  /** As an ETag says it. */
  get md5(): string {
    return this.#md5Of().toString('hex');
  }

  get written(): WrittenFile {
    return { sha256: this.#sha256Of().toString('hex'), sizeBytes: this.#bytes.byteLength };
  }

  #md5Of(): Buffer {
    return (this.#md5 ??= createHash('md5').update(this.#bytes).digest());
  }

  #sha256Of(): Buffer {
    return (this.#sha256 ??= createHash('sha256').update(this.#bytes).digest());
  }
}

/** Of many chunks, which are read for it. */
export async function digestsOfChunks(
  chunks: AsyncIterable<Uint8Array>,
): Promise<Digests & { readonly written: WrittenFile }> {
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    md5.update(chunk);
    sha256.update(chunk);
    sizeBytes += chunk.byteLength;
  }
  const digest = sha256.digest();
  return {
    ContentMD5: md5.digest('base64'),
    ChecksumSHA256: digest.toString('base64'),
    written: { sha256: digest.toString('hex'), sizeBytes },
  };
}
