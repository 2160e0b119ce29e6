/** Decoded parts of chunked sources, the most recently used, up to a budget of bytes. The last one is kept whatever its size. */
export class ChunkCache {
  readonly budgetBytes: number;
  #bytes = 0;
  // The most recently used last.
  readonly #parts = new Map<string, Uint8Array>();

  /** @throws RangeError for a budget that is no number of bytes */
  constructor(budgetBytes: number) {
    if (!(budgetBytes >= 0))
      throw new RangeError(`chunkCacheBytes is ${budgetBytes}; give a number of bytes, 0 for none`);
    this.budgetBytes = budgetBytes;
  }

  /** The part of this key, from the cache or else from `read`. */
  get(key: string, read: () => Uint8Array): Uint8Array {
    const kept = this.#parts.get(key);
    if (kept !== undefined) {
      this.#parts.delete(key);
      this.#parts.set(key, kept);
      return kept;
    }
    const part = read();
    this.#parts.set(key, part);
    this.#bytes += part.length;
    for (const [oldest, { length }] of this.#parts) {
      if (this.#bytes <= this.budgetBytes || oldest === key) break;
      this.#parts.delete(oldest);
      this.#bytes -= length;
    }
    return part;
  }
}

/** What a dataset keeps of its chunked sources when nothing else is said: 256 MiB. */
export const DEFAULT_CHUNK_CACHE_BYTES = 2 ** 28;
