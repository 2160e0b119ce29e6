import { SMALLEST_COLLECTION } from './global-heap.js';
import { Spool } from './spool.js';

/** Where an element of variable length is: of its collection, from the beginning of the heap on; and its number there. */
export interface HeapPlace {
  readonly address: number;
  readonly index: number;
}

/** Objects of a global heap in collections, as many in each as it has room for: one after the other, however they come. */
export class HeapSpool {
  readonly spool: Spool;
  #collection = Buffer.alloc(SMALLEST_COLLECTION);
  #usedBytes = COLLECTION_HEAD;
  #objects = 0;

  /** @param path As of a `Spool` */
  constructor(path: string) {
    this.spool = new Spool(path);
  }

  /** Takes a copy of the bytes, of which there is at least one. */
  async add(bytes: Uint8Array): Promise<HeapPlace> {
    const needed = OBJECT_HEAD + Math.ceil(bytes.length / 8) * 8;
    if (this.#usedBytes + needed > this.#collection.length) {
      await this.#end();
      this.#collection = Buffer.alloc(Math.max(SMALLEST_COLLECTION, COLLECTION_HEAD + needed));
    }
    this.#objects += 1;
    this.#object(this.#objects, bytes.length);
    this.#collection.set(bytes, this.#usedBytes + OBJECT_HEAD);
    this.#usedBytes += needed;
    return { address: this.spool.sizeBytes, index: this.#objects };
  }

  /** Puts the last collection behind the others; nothing can be added any more. */
  async finish(): Promise<void> {
    await this.#end();
  }

  async #end(): Promise<void> {
    if (this.#objects === 0) return;
    this.#collection.write('GCOL\x01', 'latin1');
    this.#collection.writeBigUInt64LE(BigInt(this.#collection.length), 8);
    // What is free has the number 0, and counts its head; a head that has no room is left out.
    const free = this.#collection.length - this.#usedBytes;
    if (free >= OBJECT_HEAD) this.#object(0, free);
    await this.spool.add(this.#collection);
    this.#usedBytes = COLLECTION_HEAD;
    this.#objects = 0;
  }

  #object(index: number, sizeBytes: number): void {
    this.#collection.writeUInt16LE(index, this.#usedBytes);
    this.#collection.writeBigUInt64LE(BigInt(sizeBytes), this.#usedBytes + 8);
  }
}

const COLLECTION_HEAD = 16;
const OBJECT_HEAD = 16;
