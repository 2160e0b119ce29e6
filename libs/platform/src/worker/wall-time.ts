import { performance } from 'node:perf_hooks';
import { BEAT_EVERY_MS } from '@longrun/contracts';
import type { SupervisedChild } from './supervised-child.js';

export interface WallTimeOptions {
  /** `limits.wallTimeSeconds`. */
  readonly limitSeconds: number | null;
  /** What earlier attempts took of it, in ms. */
  readonly ranMs: number;
  /** A clock that only goes forward, in ms. Default: that of this process. */
  readonly now?: () => number;
}

/**
 * How long an experiment or a conversion may still run: all its attempts together, this one counting from when this was made. To be closed
 * when that has ended.
 */
export class WallTime {
  readonly #limitSeconds: number | null;
  readonly #ranMs: number;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #up = new AbortController();
  readonly #looks: NodeJS.Timeout;

  constructor({ limitSeconds, ranMs, now = () => performance.now() }: WallTimeOptions) {
    this.#limitSeconds = limitSeconds;
    this.#ranMs = ranMs;
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
    return this.#limitSeconds !== null && this.#ranMs + this.#now() - this.#startedAt >= this.#limitSeconds * 1000;
  }

  /** What to tell the user when it is up. */
  get message(): string {
    const before = this.#ranMs === 0 ? '' : `, ${Math.round(this.#ranMs / 1000)} s of them in earlier attempts`;
    return `It has run for the ${this.#limitSeconds} s that limits.wallTimeSeconds allows${before}`;
  }

  /** Calls `onUp` once when it is up, unless the child has gone before. */
  watch(child: Pick<SupervisedChild, 'exited'>, onUp: () => void): void {
    if (this.up.aborted) return onUp();
    this.up.addEventListener('abort', onUp, { once: true });
    void child.exited.then(() => this.up.removeEventListener('abort', onUp));
  }

  close(): void {
    clearInterval(this.#looks);
  }
}
