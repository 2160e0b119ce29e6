import { performance } from 'node:perf_hooks';
import { BEAT_EVERY_MS } from '@longrun/contracts';

export interface WallTimeOptions {
  /** `limits.wallTimeSeconds`. */
  readonly limitSeconds: number | null;
  /** What earlier attempts took of it, in ms. */
  readonly trainedMs: number;
  /** A clock that only goes forward, in ms. Default: that of this process. */
  readonly now?: () => number;
}

/**
 * How long an experiment may still train: all its attempts together, this one counting from when this was made. To be closed when that has
 * ended.
 */
export class WallTime {
  readonly #limitSeconds: number | null;
  readonly #trainedMs: number;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #up = new AbortController();
  readonly #looks: NodeJS.Timeout;

  constructor({ limitSeconds, trainedMs, now = () => performance.now() }: WallTimeOptions) {
    this.#limitSeconds = limitSeconds;
    this.#trainedMs = trainedMs;
    this.#now = now;
    this.#startedAt = now();
    this.#looks = setInterval(() => {
      if (this.isUp) this.#up.abort();
    }, BEAT_EVERY_MS);
  }

  /** Aborted soon after it is up, unless it was closed before. */
  get up(): AbortSignal {
    return this.#up.signal;
  }

  get isUp(): boolean {
    return this.#limitSeconds !== null && this.#trainedMs + this.#now() - this.#startedAt >= this.#limitSeconds * 1000;
  }

  close(): void {
    clearInterval(this.#looks);
  }

  /** What to tell the user when it is up. */
  get message(): string {
    const before = this.#trainedMs === 0 ? '' : `, ${Math.round(this.#trainedMs / 1000)} s of them in earlier attempts`;
    return `It has run for the ${this.#limitSeconds} s that limits.wallTimeSeconds allows${before}`;
  }
}
