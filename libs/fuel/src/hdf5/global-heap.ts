import { fstatSync } from 'node:fs';
import { ChunkCache } from './chunk-cache.js';
import { readAt, readFully, type OpenFile } from './object-header.js';

/**
 * The elements of variable length of a file, in its global heap (HDF5 file format specification, version 3.0, section III.E): read by their
 * position and checked, as the library never ends on some damaged heaps.
 */
export class GlobalHeap {
  readonly #file: OpenFile;
  readonly #sizeBytes: number;
  readonly #kept = new ChunkCache(KEPT_BYTES);

  constructor(file: OpenFile) {
    this.#file = file;
    this.#sizeBytes = fstatSync(file.descriptor).size;
  }

  /** How many members an element has, which is a sequence. In members, not in bytes. */
  static lengthOf(element: Buffer, at = 0): number {
    return element.readUInt32LE(at);
  }

  /** The bytes of an element. @throws RangeError for a heap that is damaged */
  bytesOf(element: Buffer, memberBytes = 1): Buffer {
    this.checkLength(element, 0, memberBytes);
    const bytes = Buffer.alloc(GlobalHeap.lengthOf(element) * memberBytes);
    this.readInto(element, 0, bytes);
    return bytes;
  }

  /** @throws RangeError for an element of more bytes than the file has, before there is memory for them */
  checkLength(elements: Buffer, at: number, memberBytes: number): void {
    const length = GlobalHeap.lengthOf(elements, at);
    if (length * memberBytes <= this.#sizeBytes) return;
    throw new RangeError(`an element of variable length has ${length} members, more than the file holds`);
  }

  /** The bytes of one of the elements, into a target of that size. @throws RangeError for a heap that is damaged */
  readInto(elements: Buffer, at: number, target: Uint8Array): void {
    if (target.length === 0) return;
    const address = unsigned(elements, at + 4);
    const index = elements.readUInt32LE(at + 12);
    const start = this.#file.base + address;
    const piece = this.#piece(start, SMALLEST_COLLECTION);
    const sizeBytes = this.#collectionBytes(piece, start);
    let found = find(piece, sizeBytes, index);
    let within = piece;
    if (found === 'beyond') {
      if (sizeBytes > LARGEST_SHARED) throw new RangeError(`the global heap at ${address} has ${sizeBytes} bytes`);
      within = this.#piece(start, sizeBytes);
      found = find(within, sizeBytes, index);
    }
    if (found === 'beyond' || found === undefined || target.length > found.sizeBytes)
      throw new RangeError(`the global heap at ${address} has no object ${index} of ${target.length} bytes`);
    const end = found.at + target.length;
    if (end <= within.length) target.set(within.subarray(found.at, end));
    else readFully(this.#file.descriptor, target, start + found.at);
  }

  #piece(start: number, length: number): Buffer {
    if (!(start + length <= Number.MAX_SAFE_INTEGER)) throw new RangeError(`there is no global heap at ${start}`);
    const read = (): Buffer =>
      readAt(this.#file.descriptor, start, Math.min(length, Math.max(0, this.#sizeBytes - start)));
    const bytes = this.#kept.get(`${start}/${length}`, read);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  #collectionBytes(piece: Buffer, start: number): number {
    if (piece.length < 16 || piece.toString('latin1', 0, 4) !== 'GCOL')
      throw new RangeError(`there is no global heap at ${start}`);
    const sizeBytes = unsigned(piece, 8);
    if (start + sizeBytes <= this.#sizeBytes) return sizeBytes;
    throw new RangeError(`the global heap at ${start} has ${sizeBytes} bytes, more than the file`);
  }
}

/** No collection is smaller, as the library writes them. */
export const SMALLEST_COLLECTION = 4096;

/** An element of variable length as it lies in a dataset: its length, and where it is in the heap. */
export const ELEMENT_BYTES = 16;

const KEPT_BYTES = 1 << 22;
// The library lets a collection of several objects grow to 64 KiB.
const LARGEST_SHARED = 1 << 26;

interface Found {
  /** Where its bytes begin in the collection. */
  readonly at: number;
  readonly sizeBytes: number;
}

/** An object of a collection of which the first bytes are given: undefined when there is none, `beyond` when it can only be behind them. */
function find(piece: Buffer, sizeBytes: number, index: number): Found | 'beyond' | undefined {
  for (let at = 16; at + 16 <= sizeBytes;) {
    if (at + 16 > piece.length) return piece.length < sizeBytes ? 'beyond' : undefined;
    const id = piece.readUInt16LE(at);
    const objectBytes = unsigned(piece, at + 8);
    // What is behind the last object is free.
    if (id === 0 || at + 16 + objectBytes > sizeBytes) return undefined;
    if (id === index) return { at: at + 16, sizeBytes: objectBytes };
    at += 16 + Math.ceil(objectBytes / 8) * 8;
  }
  return undefined;
}

function unsigned(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}
