import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

/**
 * Lets the event loop turn now and then in a long computation, so that messages, signals and file writes are seen to: a step
 * of training blocks it, and awaiting what is ready already does not turn it.
 */
export class EventLoopBreaks {
  readonly #everyMs: number;
  #last = performance.now();

  /** @param everyMs longest time without a turn, single steps aside; default 10 */
  constructor(everyMs = 10) {
    this.#everyMs = everyMs;
  }

  /** Turns the event loop once if it is time; else undefined, at no cost. */
  takeIfDue(): Promise<void> | undefined {
    return performance.now() - this.#last < this.#everyMs ? undefined : this.#take();
  }

  async #take(): Promise<void> {
    await setImmediate();
    this.#last = performance.now();
  }
}
