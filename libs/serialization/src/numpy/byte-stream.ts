/** Bytes that come in pieces of any size, taken in parts of any size. */
export class ByteStream {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** Fills `target` with the next bytes, and answers how many there were. */
  async fill(target: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < target.byteLength && (await this.#more())) {
      const part = this.#rest.subarray(0, target.byteLength - filled);
      target.set(part, filled);
      filled += part.byteLength;
      this.#rest = this.#rest.subarray(part.byteLength);
    }
    return filled;
  }

  /** Whether all bytes have been taken. What gives them has checked them then. */
  async ended(): Promise<boolean> {
    return !(await this.#more());
  }

  /** No more bytes are taken. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  async #more(): Promise<boolean> {
    while (this.#rest.byteLength === 0) {
      const { done, value } = await this.#pieces.next();
      if (done === true) return false;
      this.#rest = value;
    }
    return true;
  }
}
