import { performance } from 'node:perf_hooks';

export interface ObservedTimeOptions {
  /** Of the time between two looks no more than this counts, in milliseconds. */
  readonly mostPerLookMs: number;
  /** A monotonic clock, in milliseconds. Default: that of this process. */
  readonly now?: () => number;
}

/**
 * A clock that runs only while somebody looks, for measuring silence. Time in which this process stood still, or waited for a
 * third, is nobody's silence: of the time between two looks only so much counts as a look takes in good order.
 */
export class ObservedTime {
  readonly #mostPerLookMs: number;
  readonly #now: () => number;
  #lookedAt: number | undefined;
  #ms = 0;

  constructor({ mostPerLookMs, now = () => performance.now() }: ObservedTimeOptions) {
    this.#mostPerLookMs = mostPerLookMs;
    this.#now = now;
  }

  /** How much time was observed up to the last look, in milliseconds. */
  get ms(): number {
    return this.#ms;
  }

  /** All that happened up to now can be seen. */
  looked(): void {
    const now = this.#now();
    if (this.#lookedAt !== undefined) this.#ms += Math.min(now - this.#lookedAt, this.#mostPerLookMs);
    this.#lookedAt = now;
  }

  /** Nothing is known from the last look to the next one. */
  interrupted(): void {
    this.#lookedAt = undefined;
  }
}

/**
 * How long a look may take, at most, where `patienceMs` of silence decide something: whatever holds up a single one, even for
 * hours, the patience is far from spent.
 */
export function lookMsFor(patienceMs: number): number {
  return Math.min(1_000, Math.ceil(patienceMs / 4));
}
