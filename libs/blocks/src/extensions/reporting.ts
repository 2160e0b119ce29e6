import { performance } from 'node:perf_hooks';

import type { LogRow } from '../log/log-value.js';
import type { TrainingContext } from '../main-loop/training-context.js';
import { StepRate } from './step-rate.js';
import { TrainingExtension, type ExtensionOptions } from './training-extension.js';

/** How far training is. */
export interface TrainingProgress {
  /** Batches done. */
  readonly step: number;
  /** Epochs done. */
  readonly epoch: number;
  /** Null when the stream does not know. */
  readonly stepsPerEpoch: number | null;
  /** Null when it cannot be told. */
  readonly totalSteps: number | null;
  /** Over the last five seconds; 0 in the first report. */
  readonly stepsPerSecond: number;
}

/** Options of {@link Reporting}. */
export interface ReportingOptions extends ExtensionOptions {
  /** Called with each row of the log once nothing will be added to it. */
  readonly onLogRow?: (step: number, row: Readonly<LogRow>) => void;
  /** Called when training starts or goes on, ends or stops, and in between at most every `progressEveryMs`. */
  readonly onProgress?: (progress: TrainingProgress) => void;
  /** Default 1000. */
  readonly progressEveryMs?: number;
  /** Milliseconds of a clock that is never set. Default: `performance.now`. */
  readonly now?: () => number;
}

/** Tells a host what happens: the rows of the log, and how far training is. Saves nothing. */
export class Reporting extends TrainingExtension {
  readonly #options: ReportingOptions;
  readonly #now: () => number;
  readonly #rate = new StepRate();
  #reportedAt = 0;

  constructor(options: ReportingOptions) {
    super(options);
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  override attach(mainLoop: TrainingContext): void {
    super.attach(mainLoop);
    if (this.#options.onLogRow !== undefined) mainLoop.log.onRow(this.#options.onLogRow);
  }

  override beforeTraining(): void {
    this.#begin();
  }

  override onResumption(): void {
    this.#begin();
  }

  override afterBatch(): void {
    if (this.#now() - this.#reportedAt >= (this.#options.progressEveryMs ?? 1000)) this.#report();
  }

  override afterEpoch(): void {
    this.#report();
  }

  override afterTraining(): void {
    this.#report();
  }

  override onInterrupt(): void {
    this.#report();
  }

  #begin(): void {
    this.#rate.restart(this.mainLoop.status.iterationsDone, this.#now());
    this.#report();
  }

  #report(): void {
    const { status, dataStream, plannedIterations } = this.mainLoop;
    const now = this.#now();
    const step = status.iterationsDone;
    this.#options.onProgress?.({
      step,
      epoch: status.epochsDone,
      stepsPerEpoch: dataStream.batchesPerEpoch,
      totalSteps: plannedIterations,
      stepsPerSecond: this.#rate.at(step, now),
    });
    this.#reportedAt = now;
  }
}
