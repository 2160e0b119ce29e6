import { performance } from 'node:perf_hooks';

import type { LogRow } from '../log/log-value.js';
import type { MainLoop } from '../main-loop.js';
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
  /** Since the last report; 0 in the first. */
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
}

/** Tells a host what happens: the rows of the log, and how far training is. Saves nothing. */
export class Reporting extends TrainingExtension {
  readonly #options: ReportingOptions;
  #reportedAt: number | undefined;
  #reportedStep = 0;

  constructor(options: ReportingOptions) {
    super(options);
    this.#options = options;
  }

  override attach(mainLoop: MainLoop): void {
    super.attach(mainLoop);
    if (this.#options.onLogRow !== undefined) mainLoop.log.onRow(this.#options.onLogRow);
  }

  override beforeTraining(): void {
    this.#report();
  }

  override onResumption(): void {
    this.#report();
  }

  override afterBatch(): void {
    const now = performance.now();
    if (now - (this.#reportedAt ?? 0) >= (this.#options.progressEveryMs ?? 1000)) this.#report();
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

  #report(): void {
    const { status, dataStream, plannedIterations } = this.mainLoop;
    const now = performance.now();
    const step = status.iterationsDone;
    const seconds = this.#reportedAt === undefined ? 0 : (now - this.#reportedAt) / 1000;
    this.#options.onProgress?.({
      step,
      epoch: status.epochsDone,
      stepsPerEpoch: dataStream.batchesPerEpoch,
      totalSteps: plannedIterations,
      stepsPerSecond: seconds === 0 ? 0 : (step - this.#reportedStep) / seconds,
    });
    this.#reportedAt = now;
    this.#reportedStep = step;
  }
}
