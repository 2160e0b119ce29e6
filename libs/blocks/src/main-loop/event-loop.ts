import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

/**
 * Lets the event loop turn now and then in a long computation, so that messages, signals and file writes are seen to: a step
 * of training blocks it, and awaiting what is ready already does not turn it.
 */
export class EventLoopBreaks {
  readonly #everyMs: number;
  readonly #now: () => number;
  #last: number;

  /**
   * @param everyMs longest time without a turn, single steps aside; default 10
   * @param now the clock, in milliseconds, monotonic
   */
  constructor(everyMs = 10, now: () => number = () => performance.now()) {
    this.#everyMs = everyMs;
    this.#now = now;
    this.#last = now();
  }

  /** Turns the event loop once if it is time; else undefined, at no cost. */
  takeIfDue(): Promise<void> | undefined {
    return this.#now() - this.#last < this.#everyMs ? undefined : this.#take();
  }

  async #take(): Promise<void> {
    await setImmediate();
    this.#last = this.#now();
  }
}
