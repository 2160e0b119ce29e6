/** Heartbeats that may stay away before a stream is taken for broken. */
const MISSED_HEARTBEATS = 4;

/** How long an answer may take to begin, and a stream be silent whose server does not say how often it sends a heartbeat. */
const UNTOLD_PATIENCE_MS = 60_000;

/** Aborts when nothing has come of a stream for four of its heartbeats. */
export class SilenceWatch {
  readonly #silence = new AbortController();
  #timer: ReturnType<typeof setTimeout>;
  #patienceMs = UNTOLD_PATIENCE_MS;

  constructor() {
    this.#timer = this.#listen();
  }

  /** Aborted when it was silent for too long, or at the end. */
  get signal(): AbortSignal {
    return this.#silence.signal;
  }

  /** How long it may be silent. */
  get patienceMs(): number {
    return this.#patienceMs;
  }

  /** From here on the stream is silent for no longer than its server has said: milliseconds, or null where it says nothing. */
  expect(heartbeatMs: string | null): void {
    const told = Number(heartbeatMs);
    if (told > 0) this.#patienceMs = MISSED_HEARTBEATS * told;
    clearTimeout(this.#timer);
    this.#timer = this.#listen();
  }

  /** The bytes as they come. The time that the reader takes over them is no silence: a pager may keep it waiting. */
  async *watched(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      clearTimeout(this.#timer);
      yield chunk;
      this.#timer = this.#listen();
    }
  }

  /** Stops watching, and whatever reads the stream. */
  end(): void {
    clearTimeout(this.#timer);
    this.#silence.abort();
  }

  #listen(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#silence.abort(), this.#patienceMs);
  }
}
