import type { TrainingContext } from '../main-loop/training-context.js';
import { awaitRecords } from './awaited-records.js';
import { SimpleExtension, type SimpleExtensionOptions } from './simple-extension.js';

/** Which of two values of a record is better. */
export type ChooseBest = (...values: readonly number[]) => number;

/** Options of {@link TrackTheBest}. */
export interface TrackTheBestOptions extends SimpleExtensionOptions {
  /** The record of the log that is to become better. */
  readonly recordName: string;
  /** The record by which a new best value is told. Default `<recordName>_best_so_far`. */
  readonly notificationName?: string;
  /** Chooses the better of two values: `Math.min` or `Math.max`. Default `Math.min`. */
  readonly chooseBest?: ChooseBest;
}

/**
 * Remembers the best value of a record, as `best_<record>` in the status of the log, and tells when there is a better one than all before: by `true` in the
 * row. By default after each epoch. A value that is not a number, or NaN, is never the best. A record that the log has not after the first epoch is warned of.
 */
export class TrackTheBest extends SimpleExtension {
  readonly recordName: string;
  readonly notificationName: string;
  readonly #bestName: string;
  readonly #chooseBest: ChooseBest;

  constructor(options: TrackTheBestOptions) {
    super(options, { afterEpoch: true });
    this.recordName = options.recordName;
    this.notificationName = options.notificationName ?? `${options.recordName}_best_so_far`;
    this.#bestName = `best_${options.recordName}`;
    this.#chooseBest = options.chooseBest ?? Math.min;
  }

  override attach(mainLoop: TrainingContext): void {
    super.attach(mainLoop);
    awaitRecords(this.name, mainLoop.log, [this.recordName]);
  }

  override do(): void {
    const { log } = this.mainLoop;
    const value = log.currentRow[this.recordName];
    if (typeof value !== 'number' || Number.isNaN(value)) return;
    const best = log.status[this.#bestName];
    if (typeof best === 'number' && (value === best || this.#chooseBest(value, best) !== value)) return;
    log.status[this.#bestName] = value;
    log.currentRow[this.notificationName] = true;
  }
}
