export interface LineLimitOptions {
  /** Lines that may pass at once. Default 2000. */
  readonly burst?: number;
  /** Lines per second that may pass for long. Default 200. */
  readonly perSecond?: number;
  /** Milliseconds, growing. Default: the monotonic clock. */
  readonly now?: () => number;
}

/** Lets lines pass up to a rate, so that a program that prints in a loop cannot fill Redis and the record; says how many it left out. */
export class LineLimit {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #now: () => number;
  #allowance: number;
  #at: number;
  #leftOut = 0;

  constructor(options: LineLimitOptions = {}) {
    this.#burst = options.burst ?? 2000;
    this.#perSecond = options.perSecond ?? 200;
    this.#now = options.now ?? (() => performance.now());
    this.#allowance = this.#burst;
    this.#at = this.#now();
  }

  /** The lines to pass on for this one: none, the line, or the line after a notice of those left out before it. */
  pass(text: string): readonly string[] {
    const now = this.#now();
    this.#allowance = Math.min(this.#burst, this.#allowance + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#allowance < 1) {
      this.#leftOut += 1;
      return [];
    }
    this.#allowance -= 1;
    return [...this.rest(), text];
  }

  /** The notice of lines left out since the last one that passed, if any. */
  rest(): readonly string[] {
    if (this.#leftOut === 0) return [];
    const notice = `[longrun] lines left out here: ${this.#leftOut}, as there were more than ${this.#perSecond} a second for long`;
    this.#leftOut = 0;
    return [notice];
  }
}
