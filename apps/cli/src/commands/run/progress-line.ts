import type { TrainingProgress } from '@longrun/blocks';

import { duration } from '../../output/amounts.js';
import type { Terminal } from '../../output/terminal.js';

/**
 * How far training is: one line that changes in place where a terminal can do that, else a line every few seconds. What the program prints
 * itself stays.
 */
export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  #shownAt = Number.NEGATIVE_INFINITY;
  #isOpen = false;

  /** @param now milliseconds of a clock that is never set */
  constructor(terminal: Terminal, now = (): number => performance.now()) {
    this.#terminal = terminal;
    this.#now = now;
  }

  /** @param cost of the newest batch, where there is one */
  show(progress: TrainingProgress, cost: number | undefined): void {
    const { interactive } = this.#terminal;
    if (this.#now() - this.#shownAt < (interactive ? REDRAWN_EVERY_MS : SAID_EVERY_MS)) return;
    this.#shownAt = this.#now();
    const text = progressText(progress, cost);
    if (!interactive) return this.#terminal.say(text);
    this.#terminal.overwrite(text);
    this.#isOpen = true;
  }

  /** Says a line in its place; it goes on below. */
  say(line: string): void {
    if (this.#isOpen) this.#terminal.overwrite('');
    this.#isOpen = false;
    this.#terminal.say(line);
  }

  /** Takes it away. */
  end(): void {
    if (this.#isOpen) this.#terminal.overwrite('');
    this.#isOpen = false;
  }
}

const REDRAWN_EVERY_MS = 100;
const SAID_EVERY_MS = 5_000;

/** `epoch 2 of 3, batch 41 of 94, 45 %, 812 batches/s, ETA 12.0 s, cost 0.4123`; what is not known is left out. */
export function progressText(progress: TrainingProgress, cost: number | undefined): string {
  const { step, epoch, stepsPerEpoch, totalSteps, stepsPerSecond } = progress;
  // At its end an epoch is the newest still.
  const present = stepsPerEpoch === null ? epoch + 1 : Math.max(1, Math.ceil(step / stepsPerEpoch));
  const epochs = stepsPerEpoch !== null && totalSteps !== null ? Math.ceil(totalSteps / stepsPerEpoch) : undefined;
  const batch = stepsPerEpoch === null ? step : step - (present - 1) * stepsPerEpoch;
  const left = totalSteps !== null && stepsPerSecond > 0 ? (totalSteps - step) / stepsPerSecond : undefined;
  return [
    `epoch ${present}${epochs === undefined ? '' : ` of ${epochs}`}`,
    `batch ${batch}${stepsPerEpoch === null ? '' : ` of ${stepsPerEpoch}`}`,
    ...(totalSteps === null ? [] : [`${Math.floor((100 * step) / totalSteps)} %`]),
    ...(stepsPerSecond > 0 ? [`${stepsPerSecond.toPrecision(3)} batches/s`] : []),
    ...(left === undefined ? [] : [`ETA ${duration(left * 1_000)}`]),
    ...(cost === undefined ? [] : [`cost ${cost.toPrecision(4)}`]),
  ].join(', ');
}
