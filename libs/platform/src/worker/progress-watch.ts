import { BEAT_EVERY_MS } from '@longrun/contracts';
import type { Beat } from './child-signs.js';

export interface ProgressWatchOptions {
  /** Longest silence before the first step, and while none of the later ones was timed, in ms. */
  readonly firstStepMs: number;
  /** Longest silence after it, in ms. Default: 20 times the median step, and at least 120,000. */
  readonly stallMs?: number | null;
  /** Longest silence, in ms, where the child gave no sign of life for some of it; or the limit above, where that is longer. Default 120,000. */
  readonly suspendedMs?: number;
}

/**
 * Whether a child still makes progress, judged by what its watchdog counts. The time is that of ticks of this process: while it or the
 * machine is suspended there are none, so that no time passes here, and one that gets little of the processor sees less of it. A child
 * without beats may be suspended, have closed the line of its watchdog, or not have got so far as to have one: for a while that is none
 * of its silence.
 */
export class ProgressWatch {
  readonly #options: ProgressWatchOptions;
  #heardMs = 0;
  #unheardMs = 0;
  #moves = 0;
  #steps = 0;
  #hasMoved = false;
  #hasBeaten = false;
  /** Since the last step was seen. */
  #sinceStepMs = 0;
  /** Of the last steps, in ms. */
  readonly #durations: number[] = [];

  constructor(options: ProgressWatchOptions) {
    this.#options = options;
  }

  /** How long nothing has moved, in ms. */
  get silentMs(): number {
    return this.#heardMs + this.#unheardMs;
  }

  /** For how much of that the child gave no sign of life, in ms. */
  get unheardMs(): number {
    return this.#unheardMs;
  }

  /** Of the last steps, in ms; undefined before the second. */
  get medianStepMs(): number | undefined {
    const sorted = this.#durations.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)];
  }

  /** How long nothing may move at present, in ms, where the child gives signs of life. */
  get limitMs(): number {
    const { firstStepMs, stallMs = null } = this.#options;
    if (this.#steps > 0 && stallMs !== null) return stallMs;
    const { medianStepMs } = this;
    return medianStepMs === undefined ? firstStepMs : Math.max(LEAST_STALL_MS, MEDIAN_STEPS * medianStepMs);
  }

  /** How long nothing may move at present, in ms, whether the child gives signs of life or not. */
  get suspendedLimitMs(): number {
    return Math.max(this.limitMs, this.#options.suspendedMs ?? LEAST_STALL_MS);
  }

  /** The watchdog of the child has said how far it is. */
  beat({ moves, steps }: Pick<Beat, 'moves' | 'steps'>): void {
    this.#hasBeaten = true;
    if (moves !== this.#moves) this.#hasMoved = true;
    this.#moves = moves;
    if (steps > this.#steps) this.#stepped(steps - this.#steps);
    this.#steps = steps;
  }

  /** To be called every {@link BEAT_EVERY_MS}. True when nothing has moved for too long, and while `isHeld` all is as it should be. */
  tick(isHeld: boolean): boolean {
    this.#sinceStepMs += BEAT_EVERY_MS;
    if (this.#hasBeaten) this.#heardMs += BEAT_EVERY_MS;
    else this.#unheardMs += BEAT_EVERY_MS;
    if (this.#hasMoved || isHeld) this.#heardMs = this.#unheardMs = 0;
    this.#hasBeaten = this.#hasMoved = false;
    return this.#heardMs >= this.limitMs || this.silentMs >= this.suspendedLimitMs;
  }

  #stepped(count: number): void {
    // What came before the first step was no step.
    if (this.#steps > 0) this.#durations.push((this.#sinceStepMs + BEAT_EVERY_MS) / count);
    if (this.#durations.length > TIMED_STEPS) this.#durations.shift();
    this.#sinceStepMs = 0;
  }
}

const LEAST_STALL_MS = 120_000;
const MEDIAN_STEPS = 20;
/** Looks at which steps were seen to be done. */
const TIMED_STEPS = 101;
