import { Allowance } from '@longrun/platform/worker';

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
  readonly #lines: Allowance;
  readonly #now: () => number;
  #leftOut = 0;

  constructor({ atOnce, perSecond, now = () => performance.now() }: LineAllowanceOptions) {
    this.#now = now;
    this.#lines = new Allowance(atOnce, perSecond, now());
  }

  /** Takes one line, and gives how many were left out since the one before; undefined where none may be written now. */
  take(): { readonly leftOut: number } | undefined {
    if (!this.#lines.has(1, this.#now())) {
      this.#leftOut += 1;
      return undefined;
    }
    this.#lines.take(1);
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return { leftOut };
  }
}
