/** Whether those who make events should wait until the record has taken more of them. */
export interface Pressure {
  /**
   * True while the record takes events, but they come faster. False while it takes none at all: to wait for it would
   * stop a training that can go on.
   */
  readonly isHigh: boolean;
  /** Resolves when it is not high: at once, if it is not. */
  relieved(): Promise<void>;
}

export interface PressureGaugeOptions {
  /** It is high from here on. */
  readonly highBytes: number;
  /** It stays high until no more than this is pending. */
  readonly lowBytes: number;
  /** When something has been under way for so long and none of it was taken, nothing moves. */
  readonly stillAfterMs: number;
}

/** Tells the pressure from what is pending and from whether it moves. */
export class PressureGauge implements Pressure {
  readonly #options: PressureGaugeOptions;
  #isHigh = false;
  #moves = true;
  #still: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] = [];

  constructor(options: PressureGaugeOptions) {
    this.#options = options;
  }

  get isHigh(): boolean {
    return this.#isHigh;
  }

  /** What was sent last was taken, as far as can be told by now. */
  get moves(): boolean {
    return this.#moves;
  }

  async relieved(): Promise<void> {
    if (!this.#isHigh) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** So many bytes are pending. */
  measure(pendingBytes: number): void {
    const { highBytes, lowBytes } = this.#options;
    this.#isHigh = this.#moves && pendingBytes > (this.#isHigh ? lowBytes : highBytes);
    if (!this.#isHigh) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Something is under way. */
  sent(): void {
    // A timer, for whoever looks after the events may itself be waiting for a Redis that has gone.
    this.#still ??= setTimeout(() => this.stopped(), this.#options.stillAfterMs).unref();
  }

  /** The record has taken some, and so many bytes are pending. */
  moved(pendingBytes: number): void {
    this.#moves = true;
    this.#stopTimer();
    if (pendingBytes > 0) this.sent();
    this.measure(pendingBytes);
  }

  /** Nothing moves, or nothing will come any more. */
  stopped(): void {
    this.#stopTimer();
    this.#moves = false;
    this.measure(0);
  }

  #stopTimer(): void {
    clearTimeout(this.#still);
    this.#still = undefined;
  }
}
