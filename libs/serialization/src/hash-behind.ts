import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

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
      await this.settled();
      this.#syncedTo = Infinity;
      await Promise.all([this.#hashTo(mostBytes), this.#isSynced ? this.#handle.sync() : undefined]);
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

  async #follow(): Promise<void> {
    while (this.#read < this.#upTo && this.#failure === undefined && !this.#isStopped) {
      const before = this.#read;
      await this.#hashTo(this.#upTo);
      // It is shorter than was said.
      if (this.#read === before) return;
    }
  }

  async #hashTo(end: number): Promise<void> {
    for await (const piece of readPieces(this.#handle, Math.max(0, end - this.#read), this.#read)) {
      if (this.#isStopped) return;
      this.#hash.update(piece);
      this.#read += piece.byteLength;
      if (this.#isSynced && this.#read - this.#syncedTo >= SYNCED_AT_ONCE) this.#sync();
    }
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

const SYNCED_AT_ONCE = 32 << 20;
