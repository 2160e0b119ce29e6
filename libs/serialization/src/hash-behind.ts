import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';

import { readPieces, type WrittenFile } from './durable-file.js';
import type { OperationOptions } from './store/object-store.js';

/**
 * SHA-256 of a file that somebody else still writes, from its first byte to its last: what is written is read while the rest is. What is
 * changed behind its back, where it has read already, it does not see.
 */
export class HashBehind {
  readonly #handle: FileHandle;
  readonly #isSynced: boolean;
  readonly #hash = createHash('sha256');
  #read = 0;
  #upTo = 0;
  #reading: Promise<void> | undefined;
  #syncedTo = 0;
  #syncing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #isStopped = false;
  /** What was written a moment ago lies in memory still. */
  #isInMemory = true;
  /** Nobody writes it any more. */
  #isWhole = false;

  /**
   * @param handle Left open
   * @param options.isSynced Its bytes go to the disk meanwhile. Default false
   */
  constructor(handle: FileHandle, { isSynced = false }: { readonly isSynced?: boolean } = {}) {
    this.#handle = handle;
    this.#isSynced = isSynced;
  }

  /** So many of its first bytes are written, and are read now. Never fails: {@link rest} does. */
  written(sizeBytes: number): void {
    this.#upTo = Math.max(this.#upTo, sizeBytes);
    this.#reading ??= this.#follow()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => (this.#reading = undefined));
  }

  /**
   * Reads what is left, now that all is written. Where its bytes go to the disk they are there then.
   *
   * @param mostBytes How many it has at most
   * @param options.signal Aborted, it is not read to its end: of a file with holes that may be far
   * @throws What reading it has thrown, or syncing; the reason of the signal
   */
  async rest(mostBytes = Infinity, { signal }: OperationOptions = {}): Promise<WrittenFile> {
    const stop = (): void => void (this.#isStopped = true);
    signal?.addEventListener('abort', stop);
    try {
      signal?.throwIfAborted();
      this.#isWhole = true;
      await this.#reading;
      await Promise.all([this.#hashRest(mostBytes), this.#isSynced ? this.#handle.sync() : undefined, this.#syncing]);
      signal?.throwIfAborted();
    } finally {
      signal?.removeEventListener('abort', stop);
    }
    // A disk says only once that it could not write.
    if (this.#failure !== undefined) throw this.#failure.error;
    return { sha256: this.#hash.digest('hex'), sizeBytes: this.#read };
  }

  /** Reads no further: nobody asks for the rest any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.settled();
  }

  /** Resolves when nothing is read or synced any more. */
  async settled(): Promise<void> {
    await this.#reading;
    await this.#syncing;
  }

  /**
   * What was written a moment ago lies in memory: to fetch it here takes less than to have it fetched, where the processors are busy. Once that has
   * taken long it is had fetched: nobody waits for a disk here.
   */
  async #follow(): Promise<void> {
    const buffer = new Uint8Array(PIECE_BYTES);
    let yieldedAt = this.#read;
    while (this.#read < this.#upTo && this.#failure === undefined && !this.#isStopped && !this.#isWhole) {
      const wanted = Math.min(PIECE_BYTES, this.#upTo - this.#read);
      const begunAt = performance.now();
      const length = this.#isInMemory
        ? readSync(this.#handle.fd, buffer, 0, wanted, this.#read)
        : (await this.#handle.read(buffer, 0, wanted, this.#read)).bytesRead;
      this.#isInMemory &&= performance.now() - begunAt < OF_MEMORY_MS;
      // It is shorter than was said.
      if (length === 0) return;
      this.#add(buffer.subarray(0, length));
      if (this.#isSynced && this.#read - this.#syncedTo >= SYNCED_AT_ONCE) this.#sync();
      if (this.#read - yieldedAt < YIELDS_AFTER_BYTES) continue;
      yieldedAt = this.#read;
      await setImmediate();
    }
  }

  async #hashRest(mostBytes: number): Promise<void> {
    for await (const piece of readPieces(this.#handle, Math.max(0, mostBytes - this.#read), this.#read)) {
      if (this.#isStopped) return;
      this.#add(piece);
    }
  }

  #add(piece: Uint8Array): void {
    this.#hash.update(piece);
    this.#read += piece.byteLength;
  }

  /** The sooner the disk begins the less is left for the end. */
  #sync(): void {
    if (this.#syncing !== undefined) return;
    this.#syncedTo = this.#read;
    this.#syncing = this.#handle
      .datasync()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => (this.#syncing = undefined));
  }

  #failed(error: unknown): void {
    this.#failure ??= { error };
  }
}

/** What is hashed is in the cache of the processor still: pieces of 1 MiB take a twentieth longer. */
const PIECE_BYTES = 1 << 17;
/** Others get the thread then. */
const YIELDS_AFTER_BYTES = 1 << 20;
/** A piece takes a thousandth of it. */
const OF_MEMORY_MS = 20;
const SYNCED_AT_ONCE = 32 << 20;
