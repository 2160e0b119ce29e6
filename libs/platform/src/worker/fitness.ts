import { setTimeout as sleep } from 'node:timers/promises';

/** Tries whether a worker can do what it is for. Rejects with the fault, a sentence. */
export type WorkerCheck = () => Promise<void>;

export interface FitnessOptions {
  readonly check: WorkerCheck;
  /** Pause before the first check in quarantine, in ms; doubled for each further one, up to 30 times as long. */
  readonly checkAgainAfterMs: number;
  /** The fault is another one now, or there is none any more. */
  readonly onChange: (fault: string | null) => void;
  /** Resolves after so many ms, or when the signal is aborted. Default: by the clock. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Whether a worker is fit for work, by its own check and nothing else. One that fails it is in quarantine until it passes, which it tries
 * again and again, or until somebody takes its word for it.
 */
export class Fitness {
  readonly #options: FitnessOptions;
  #fault: string | null = null;
  #quarantines = 0;
  #pauseMs: number;
  #quarantine: AbortController | undefined;

  constructor(options: FitnessOptions) {
    this.#options = options;
    this.#pauseMs = options.checkAgainAfterMs;
  }

  /** Why it is in quarantine; null when it is not. */
  get fault(): string | null {
    return this.#fault;
  }

  /** How many times it was put into quarantine. */
  get quarantines(): number {
    return this.#quarantines;
  }

  /** Checks now; puts it into quarantine, and resolves with the fault, when the check fails. */
  async examine(): Promise<string | null> {
    const fault = await this.#check();
    if (fault !== null) {
      this.#turnTo(fault);
      if (this.#quarantine === undefined) void this.#checkUntilFit();
    }
    return fault;
  }

  /** It did what it is for: the next quarantine begins with a short pause again. */
  prove(): void {
    this.#pauseMs = this.#options.checkAgainAfterMs;
  }

  /** Ends the quarantine at somebody's word. */
  release(): void {
    this.stop();
    this.#turnTo(null);
  }

  /** Checks no more. */
  stop(): void {
    this.#quarantine?.abort();
    this.#quarantine = undefined;
  }

  async #checkUntilFit(): Promise<void> {
    const quarantine = new AbortController();
    this.#quarantine = quarantine;
    const { signal } = quarantine;
    while (!signal.aborted) {
      await (this.#options.pause ?? byTheClock)(this.#pauseMs, signal);
      if (signal.aborted) return;
      this.#pauseMs = Math.min(this.#pauseMs * 2, this.#options.checkAgainAfterMs * LONGEST_PAUSE);
      const fault = await this.#check();
      if (signal.aborted) return;
      if (fault === null) return this.release();
      this.#turnTo(fault);
    }
  }

  async #check(): Promise<string | null> {
    try {
      await this.#options.check();
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  #turnTo(fault: string | null): void {
    if (fault === this.#fault) return;
    if (this.#fault === null) this.#quarantines += 1;
    this.#fault = fault;
    this.#options.onChange(fault);
  }
}

/** In pauses of the first length: 5 minutes, where that is 10 seconds. */
const LONGEST_PAUSE = 30;

async function byTheClock(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
