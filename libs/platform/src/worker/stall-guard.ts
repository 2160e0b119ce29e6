import { BEAT_EVERY_MS } from '@longrun/contracts';
import type { Beat } from './child-signs.js';
import { ProgressWatch, type ProgressWatchOptions } from './progress-watch.js';
import { stallReport, type StallReportOptions } from './stall-report.js';
import type { SupervisedChild } from './supervised-child.js';

export interface StallGuardOptions extends ProgressWatchOptions, StallReportOptions {
  /** The worker has the child wait, or may: what does not move meanwhile has not stalled. Default: never. */
  readonly isHeld?: () => boolean;
  /** Told, a line at a time, that the child has stalled and where it stands. */
  readonly say: (line: string) => void;
}

/** Ends a child that makes no progress. */
export class StallGuard {
  readonly #options: StallGuardOptions;
  readonly #watch: ProgressWatch;
  #stalled: string | undefined;

  constructor(options: StallGuardOptions) {
    this.#options = options;
    this.#watch = new ProgressWatch(options);
  }

  /** What is said, in a sentence, of a child that was ended as it made no progress. */
  get stalled(): string | undefined {
    return this.#stalled;
  }

  /** The watchdog of the child says how far it is. */
  beat(beat: Beat): void {
    this.#watch.beat(beat);
  }

  /** Looks after a child until it has gone. */
  guard(child: SupervisedChild): void {
    const timer = setInterval(() => {
      if (!this.#watch.tick(this.#options.isHeld?.() ?? false)) return;
      clearInterval(timer);
      void this.#end(child);
    }, BEAT_EVERY_MS);
    void child.exited.then(() => clearInterval(timer));
  }

  /** It is asked where it stands first, for nothing can be asked of it afterwards. */
  async #end(child: SupervisedChild): Promise<void> {
    const { message, lines } = await stallReport(child, this.#watch, this.#options);
    this.#stalled = message;
    for (const line of [message, ...lines]) this.#options.say(line);
    await child.kill();
  }
}
