export interface LineAllowanceOptions {
  /** Lines that may be written at once. */
  readonly atOnce: number;
  /** Lines that may be written in the long run. */
  readonly perSecond: number;
  /** A monotonic clock, in milliseconds. Default: that of this process. */
  readonly now?: () => number;
}

/** How many lines may be written about what anybody can cause, as often as he likes. */
export class LineAllowance {
  readonly #options: LineAllowanceOptions;
  readonly #now: () => number;
  #left: number;
  #countedAt: number;
  #leftOut = 0;

  constructor(options: LineAllowanceOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#left = options.atOnce;
    this.#countedAt = this.#now();
  }

  /** Takes one line, and gives how many were left out since the one before; undefined where none may be written now. */
  take(): { readonly leftOut: number } | undefined {
    const { atOnce, perSecond } = this.#options;
    const now = this.#now();
    this.#left = Math.min(atOnce, this.#left + ((now - this.#countedAt) / 1_000) * perSecond);
    this.#countedAt = now;
    if (this.#left < 1) {
      this.#leftOut += 1;
      return undefined;
    }
    this.#left -= 1;
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return { leftOut };
  }
}
