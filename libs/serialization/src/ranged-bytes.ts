import { type FileHandle, open } from 'node:fs/promises';

import { maskedUrl } from './store/masked-url.js';
import type { ObjectReading } from './store/object-store.js';

/**
 * Where bytes are that are read in parts: a local file by its path, an open file, which stays open and is not moved in, an object, which
 * must not be replaced meanwhile, or bytes in memory.
 */
export type BytesSource = string | FileHandle | StoredObject | Uint8Array;

/** An object of a store. */
export interface StoredObject {
  readonly store: ObjectReading;
  readonly key: string;
}

/** Makes the error of a format, so that whoever reads a file is told of all that is wrong with it by one class. */
export type InvalidFile = new (message: string, options?: ErrorOptions) => Error;

/** Opens bytes of which parts are read. What is wrong with them is said by `invalid`, which is a class of errors. */
export async function openRanged(source: BytesSource, invalid: InvalidFile): Promise<RangedBytes> {
  if (source instanceof Uint8Array)
    return new RangedBytes('bytes in memory', source.byteLength, inMemory(source), invalid);
  if (typeof source === 'string') return openFile(source, await open(source, 'r'), invalid);
  if ('store' in source) return openObject(source, invalid);
  const { size } = await source.stat();
  return new RangedBytes(
    `file handle ${source.fd}`,
    size,
    { fill: (...place) => fillFrom(source, ...place), close: kept },
    invalid,
  );
}

/** Bytes that can be read at any place. Nothing is kept of them, and no more is asked for than there is. */
export class RangedBytes {
  /** Names them in errors. */
  readonly where: string;
  readonly sizeBytes: number;
  readonly #reader: PartReader;
  readonly #invalid: InvalidFile;

  constructor(where: string, sizeBytes: number, reader: PartReader, invalid: InvalidFile) {
    this.where = where;
    this.sizeBytes = sizeBytes;
    this.#reader = reader;
    this.#invalid = invalid;
  }

  /** Fills `target` with the bytes from `position` on. @throws the format's error where they end before */
  async fill(target: Uint8Array, position: number): Promise<void> {
    if (target.byteLength === 0) return;
    this.#checkWithin(position, target.byteLength);
    const filled = await this.#reader.fill(target, position);
    if (filled < target.byteLength) {
      throw this.invalid(`the file ended at byte ${position + filled} while it was read; write it anew`);
    }
  }

  /** A copy of `length` bytes from `position` on. Nothing is allocated for bytes that are not there. */
  async take(position: number, length: number): Promise<Buffer> {
    this.#checkWithin(position, length);
    const bytes = Buffer.alloc(length);
    await this.fill(bytes, position);
    return bytes;
  }

  /** The bytes from `start` to before `end`, at most a MiB at a time, each piece with a buffer of its own. */
  async *pieces(start: number, end: number): AsyncGenerator<Buffer> {
    for (let position = start; position < end; position += PIECE_BYTES) {
      yield await this.take(position, Math.min(PIECE_BYTES, end - position));
    }
  }

  /** Those from `start` to before `end` as bytes of their own; to close them closes these. */
  part(name: string, start: number, end: number): RangedBytes {
    this.#checkWithin(start, end - start);
    const reader: PartReader = {
      fill: async (target, position) => {
        await this.fill(target, start + position);
        return target.byteLength;
      },
      close: () => this.close(),
    };
    return new RangedBytes(`${this.where}: ${name}`, end - start, reader, this.#invalid);
  }

  /** The format's error: where the bytes are, and what is wrong with them. */
  invalid(problem: string, options?: ErrorOptions): Error {
    return new this.#invalid(`${this.where}: ${problem}`, options);
  }

  /** Closes the file, if this has opened it. */
  close(): Promise<void> {
    return this.#reader.close();
  }

  #checkWithin(position: number, length: number): void {
    if (position >= 0 && length >= 0 && position + length <= this.sizeBytes) return;
    throw this.invalid(
      `the bytes ${position} to ${position + length} are needed but there are ${this.sizeBytes}; the file is truncated or corrupt`,
    );
  }
}

/** How {@link RangedBytes} come by their bytes. */
export interface PartReader {
  /** Fills `target` with the bytes from `position` on, and answers how many there were. */
  fill(target: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

const PIECE_BYTES = 1 << 20;

// Node refuses to read 2 GiB at once.
const MAX_READ_BYTES = 1 << 30;

async function openFile(path: string, file: FileHandle, invalid: InvalidFile): Promise<RangedBytes> {
  try {
    const { size } = await file.stat();
    return new RangedBytes(
      path,
      size,
      { fill: (...place) => fillFrom(file, ...place), close: () => file.close() },
      invalid,
    );
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openObject({ store, key }: StoredObject, invalid: InvalidFile): Promise<RangedBytes> {
  const where = `object ${key} of ${maskedUrl(store.url)}`;
  const facts = await store.head(key);
  if (facts === undefined) throw new invalid(`${where} is not there; check the key`);
  const fill = async (target: Uint8Array, start: number): Promise<number> => {
    let filled = 0;
    for await (const piece of store.openRead(key, { range: { start, end: start + target.byteLength } })) {
      target.set(piece.subarray(0, target.byteLength - filled), filled);
      filled = Math.min(filled + piece.byteLength, target.byteLength);
    }
    return filled;
  };
  return new RangedBytes(where, facts.sizeBytes, { fill, close: kept }, invalid);
}

function inMemory(bytes: Uint8Array): PartReader {
  return {
    fill: async (target, position) => {
      target.set(bytes.subarray(position, position + target.byteLength));
      return target.byteLength;
    },
    close: kept,
  };
}

async function fillFrom(file: FileHandle, target: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < target.byteLength) {
    const length = Math.min(target.byteLength - filled, MAX_READ_BYTES);
    const { bytesRead } = await file.read(target, filled, length, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

async function kept(): Promise<void> {
  // Whoever has opened it closes it.
}
