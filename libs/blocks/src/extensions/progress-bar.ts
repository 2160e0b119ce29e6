import { performance } from 'node:perf_hooks';

import { TrainingExtension, type ExtensionOptions } from './training-extension.js';

/** Options of {@link ProgressBar}. */
export interface ProgressBarOptions extends ExtensionOptions {
  /** Where the bar goes; redrawn in place on a terminal, else one line at the end of each epoch. Default: standard error. */
  readonly stream?: { readonly isTTY?: boolean; write(text: string): unknown };
  /** Least time between drawings, in milliseconds. Default 100. */
  readonly everyMs?: number;
}

/** Shows how far the epoch is, with the time left where the stream knows its length. Saves nothing. */
export class ProgressBar extends TrainingExtension {
  readonly #stream: NonNullable<ProgressBarOptions['stream']>;
  readonly #everyMs: number;
  #startedAt = performance.now();
  #batchesAtStart = 0;
  #drawnAt = 0;

  constructor(options: ProgressBarOptions = {}) {
    super(options);
    this.#stream = options.stream ?? process.stderr;
    this.#everyMs = options.everyMs ?? 100;
  }

  override onResumption(): void {
    this.#start();
  }

  override beforeEpoch(): void {
    this.#start();
  }

  override afterBatch(): void {
    const now = performance.now();
    if (this.#stream.isTTY !== true || now - this.#drawnAt < this.#everyMs) return;
    this.#drawnAt = now;
    this.#stream.write(`\r\u001B[K${this.#line(now)}`);
  }

  override afterEpoch(): void {
    this.#stream.write(`${this.#stream.isTTY === true ? '\r\u001B[K' : ''}${this.#line(performance.now())}\n`);
  }

  #start(): void {
    this.#startedAt = performance.now();
    this.#batchesAtStart = this.#batchInEpoch();
  }

  #batchInEpoch(): number {
    const { iterationsDone, epochEnds, epochStarted } = this.mainLoop.status;
    // After the epoch its end is the last of epochEnds already.
    return iterationsDone - ((epochStarted ? epochEnds.at(-1) : epochEnds.at(-2)) ?? 0);
  }

  #line(now: number): string {
    const { epochsDone, epochStarted } = this.mainLoop.status;
    const total = this.mainLoop.dataStream.batchesPerEpoch;
    const done = this.#batchInEpoch();
    const seconds = (now - this.#startedAt) / 1000;
    const perSecond = (done - this.#batchesAtStart) / Math.max(seconds, 1e-9);
    const epoch = `Epoch ${epochStarted ? epochsDone : epochsDone - 1}`;
    if (total === null) return `${epoch}, step ${done}, ${perSecond.toFixed(1)} steps/s`;
    const filled = Math.round((WIDTH * done) / Math.max(total, 1));
    const bar = `|${'#'.repeat(filled)}${' '.repeat(Math.max(0, WIDTH - filled))}|`;
    const left = done >= total ? `took ${seconds.toFixed(1)} s` : `ETA ${((total - done) / perSecond).toFixed(0)} s`;
    return `${epoch} ${bar} ${done}/${total}, ${perSecond.toFixed(1)} steps/s, ${left}`;
  }
}

const WIDTH = 30;
