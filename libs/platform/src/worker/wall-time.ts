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

/** How long an experiment or a conversion may still run: all its attempts together, this one counting from when this was made. */
export class WallTime {
  readonly #limitSeconds: number | null;
  readonly #ranMs: number;
  readonly #now: () => number;
  readonly #startedAt: number;

  constructor({ limitSeconds, ranMs, now = () => performance.now() }: WallTimeOptions) {
    this.#limitSeconds = limitSeconds;
    this.#ranMs = ranMs;
    this.#now = now;
    this.#startedAt = now();
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
    const timer = setInterval(() => {
      if (!this.isUp) return;
      clearInterval(timer);
      onUp();
    }, BEAT_EVERY_MS);
    void child.exited.then(() => clearInterval(timer));
  }
}
