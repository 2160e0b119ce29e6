import { newestStage } from '@longrun/platform/stages';

import { cpuSecondsOf, ObservedTime } from '@longrun/platform/processes';

/** What a service does as it starts. */
export interface StageProgress {
  readonly pid: number;
  /** `opening the record` */
  readonly stage: string;
  /** Since its start. */
  readonly afterMs: number;
}

/** How a start is watched. */
export interface StartProgressOptions {
  readonly pid: number;
  readonly output: () => string;
  readonly patienceMs: number;
  readonly onStage?: ((progress: StageProgress) => void) | undefined;
  /** Processor time that the process and what it has started have used, in seconds. Default: what the kernel says. */
  readonly cpuSeconds?: (pid: number) => Promise<number>;
  /** Milliseconds of a clock that is never set. Default: `performance.now`. */
  readonly now?: () => number;
}

/** Processor time that shows work: on a machine so loaded that a process gets a fortieth of a core, a second in 40 s. */
const SIGN_OF_WORK_SECONDS = 1;

/** How often the stage that lasts is told again. */
const TELL_EVERY_MS = 5_000;

/** How long a look may take: more than this between two was not spent in watching. */
const LONGEST_LOOK_MS = 1_000;

/**
 * Whether a start goes on: a new stage, something else that is waited for, or, before it is only waiting, a second of processor
 * time renews the patience.
 */
export class StartProgress {
  readonly #options: StartProgressOptions;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #observed: ObservedTime;
  #stage: string | undefined;
  #toldAt: number;
  #cpuSeconds = 0;
  /** How much time was observed when it last showed that it goes on. */
  #movedAtMs = 0;

  constructor(options: StartProgressOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#startedAt = this.#now();
    this.#observed = new ObservedTime({ mostPerLookMs: LONGEST_LOOK_MS, now: this.#now });
    this.#observed.looked();
    this.#toldAt = this.#startedAt;
  }

  /** What it does now, if it has said so. */
  get stage(): string | undefined {
    return this.#stage;
  }

  /** It has stood still for as long as it may. */
  get isStuck(): boolean {
    return this.#observed.ms - this.#movedAtMs >= this.#options.patienceMs;
  }

  /** Looks at what it does now. `waitsFor`: what it has done its own part for. */
  async look(waitsFor?: string): Promise<void> {
    const { pid, output, cpuSeconds = cpuSecondsOf } = this.#options;
    const now = this.#now();
    this.#observed.looked();
    const stage = waitsFor ?? newestStage(output()) ?? this.#stage;
    if (stage !== this.#stage) {
      this.#stage = stage;
      this.#movedAtMs = this.#observed.ms;
      this.#tell(now);
      this.#cpuSeconds = await cpuSeconds(pid);
    } else if (now - this.#toldAt >= TELL_EVERY_MS) {
      this.#tell(now);
    }
    if (waitsFor !== undefined || !this.isStuck) return;
    const used = await cpuSeconds(pid);
    if (used - this.#cpuSeconds < SIGN_OF_WORK_SECONDS) return;
    this.#cpuSeconds = used;
    this.#movedAtMs = this.#observed.ms;
  }

  #tell(now: number): void {
    this.#toldAt = now;
    const { pid, onStage } = this.#options;
    onStage?.({ pid, stage: this.#stage ?? 'no word of it yet', afterMs: now - this.#startedAt });
  }
}
