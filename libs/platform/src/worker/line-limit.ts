import { Allowance } from './allowance.js';

export interface LineLimitOptions {
  /** Lines that may pass at once. Default 2000. */
  readonly burst?: number;
  /** Lines per second that may pass for long. Default 200. */
  readonly perSecond?: number;
  /** Bytes that may pass at once. Default 2 MiB. */
  readonly burstBytes?: number;
  /** Bytes per second that may pass for long. Default 128 KiB. */
  readonly bytesPerSecond?: number;
  /** Milliseconds, growing. Default: the monotonic clock. */
  readonly now?: () => number;
}

/**
 * Lets lines pass up to a rate, in number and in bytes, so that a program that prints in a loop cannot fill Redis and the record; says how
 * many it left out.
 */
export class LineLimit {
  readonly #lines: Allowance;
  readonly #bytes: Allowance;
  readonly #now: () => number;
  readonly #rates: string;
  #leftOut = 0;

  constructor(options: LineLimitOptions = {}) {
    const { burst = 2000, perSecond = 200, burstBytes = 2 * 2 ** 20, bytesPerSecond = 128 * 2 ** 10 } = options;
    this.#now = options.now ?? (() => performance.now());
    this.#lines = new Allowance(burst, perSecond, this.#now());
    this.#bytes = new Allowance(burstBytes, bytesPerSecond, this.#now());
    this.#rates = `${perSecond} lines or ${bytesPerSecond} bytes`;
  }

  /** The lines to pass on for this one: none, the line, or the line after a notice of those left out before it. */
  pass(text: string): readonly string[] {
    const now = this.#now();
    const sizeBytes = Buffer.byteLength(text);
    if (!this.#lines.has(1, now) || !this.#bytes.has(sizeBytes, now)) {
      this.#leftOut += 1;
      return [];
    }
    this.#lines.take(1);
    this.#bytes.take(sizeBytes);
    return [...this.rest(), text];
  }

  /** The notice of lines left out since the last one that passed, if any. */
  rest(): readonly string[] {
    if (this.#leftOut === 0) return [];
    const notice = `[longrun] lines left out here: ${this.#leftOut}, as there were more than ${this.#rates} a second for long`;
    this.#leftOut = 0;
    return [notice];
  }
}
