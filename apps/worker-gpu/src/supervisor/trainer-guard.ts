import type { Limits } from '@longrun/contracts';
import { type Attempt, type Beat, StallGuard, type SupervisedChild } from '@longrun/platform/worker';
import type { WallTime } from './wall-time.js';

export interface TrainerGuardOptions {
  readonly attempt: Attempt;
  readonly limits: Limits;
  readonly wallTime: WallTime;
  /** How long a trainer may take to stop in good order once its time is up, in ms. */
  readonly graceMs: number;
  /** The worker has the trainer wait, or may. */
  readonly isHeld: () => boolean;
  /** Asks the trainer to stop with a snapshot. */
  readonly stop: () => void;
}

/** Ends a trainer that makes no progress, and one whose time is up. */
export class TrainerGuard {
  readonly #options: TrainerGuardOptions;
  readonly #stallGuard: StallGuard;
  #isTimeUp = false;

  constructor(options: TrainerGuardOptions) {
    this.#options = options;
    const { attempt, limits, isHeld } = options;
    this.#stallGuard = new StallGuard({
      name: 'trainer',
      firstStepMs: limits.firstStepSeconds * 1000,
      stallMs: limits.stallSeconds === null ? null : limits.stallSeconds * 1000,
      isHeld,
      say: (line) => attempt.send({ type: 'line', stream: 'stderr', text: `[longrun] ${line}` }),
    });
  }

  /** What is said of a trainer that was killed as it made no progress. */
  get stalled(): string | undefined {
    return this.#stallGuard.stalled;
  }

  /** The trainer was asked to stop because its time is up. */
  get isTimeUp(): boolean {
    return this.#isTimeUp;
  }

  /** The trainer's watchdog says how far it is. */
  beat(beat: Beat): void {
    this.#stallGuard.beat(beat);
  }

  /** Looks after the trainer until it has gone. */
  guard(trainer: SupervisedChild): void {
    const { wallTime, stop, graceMs } = this.#options;
    this.#stallGuard.guard(trainer);
    const end = (): void => {
      this.#isTimeUp = true;
      stop();
      void trainer.endWithin(graceMs);
    };
    if (wallTime.up.aborted) return end();
    wallTime.up.addEventListener('abort', end);
    void trainer.exited.then(() => wallTime.up.removeEventListener('abort', end));
  }
}
