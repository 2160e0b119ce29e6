import { naming, StateKind, type VersionedState } from '@longrun/serialization';

import { SimpleExtension, type SimpleExtensionOptions } from './simple-extension.js';
import type { CallbackName } from './training-extension.js';

/** Options of {@link Timing}. */
export interface TimingOptions extends SimpleExtensionOptions {
  /** Starts the names of the records. Default none. */
  readonly prefix?: string;
}

interface Seconds {
  readonly train: number;
  readonly readData: number;
}

/**
 * Writes to the log how many seconds training takes: `time_initialization`; and `time_train_this_epoch`,
 * `time_read_data_this_epoch`, or `_this_batch`, and `_total`. By default before the first epoch and after each. The totals go
 * on over resumptions.
 */
export class Timing extends SimpleExtension {
  readonly #prefix: string;
  /** Spent before the last resumption. */
  #before: Seconds = NONE;
  #atEpochStart: Seconds = NONE;
  #atBatchStart: Seconds = NONE;

  constructor(options: TimingOptions = {}) {
    super(options, { beforeFirstEpoch: true, afterEpoch: true });
    this.#prefix = options.prefix === undefined || options.prefix === '' ? '' : `${options.prefix}_`;
  }

  override do(callback: CallbackName): void {
    const row = this.mainLoop.log.currentRow;
    const now = this.#now();
    switch (callback) {
      case 'afterBatch':
        this.#write('batch', this.#atBatchStart, now);
        this.#atBatchStart = now;
        return;
      case 'afterEpoch':
        this.#write('epoch', this.#atEpochStart, now);
        this.#atEpochStart = now;
        return;
      default:
        row[`${this.#prefix}time_initialization`] = this.mainLoop.times.initializationMs / 1000;
    }
  }

  override state(): VersionedState {
    const { train, readData } = this.#now();
    const epoch = this.#atEpochStart;
    return { ...TIMING.head, train, readData, epochTrain: epoch.train, epochReadData: epoch.readData };
  }

  override restore(state: VersionedState): void {
    const read = TIMING.read(state, this.name);
    const seconds = (field: string): number => Number(read[field] ?? 0);
    this.#before = { train: seconds('train'), readData: seconds('readData') };
    this.#atBatchStart = this.#before;
    this.#atEpochStart = { train: seconds('epochTrain'), readData: seconds('epochReadData') };
  }

  #now(): Seconds {
    const { trainMs, readDataMs } = this.mainLoop.times;
    return { train: this.#before.train + trainMs / 1000, readData: this.#before.readData + readDataMs / 1000 };
  }

  #write(level: 'batch' | 'epoch', since: Seconds, now: Seconds): void {
    const row = this.mainLoop.log.currentRow;
    row[`${this.#prefix}time_train_this_${level}`] = now.train - since.train;
    row[`${this.#prefix}time_read_data_this_${level}`] = now.readData - since.readData;
    row[`${this.#prefix}time_train_total`] = now.train;
    row[`${this.#prefix}time_read_data_total`] = now.readData;
  }
}

const TIMING = new StateKind('Timing', { version: 2, namedSince: 2, migrations: [naming('Timing')] });

const NONE: Seconds = { train: 0, readData: 0 };
