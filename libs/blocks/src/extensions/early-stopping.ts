import { StateKind, type VersionedState } from '@longrun/serialization';

import { FINISH_REQUESTED } from '../log/training-log-base.js';
import type { TrainingContext } from '../main-loop/training-context.js';
import { awaitRecords } from './awaited-records.js';
import type { Checkpoint } from './checkpoint.js';
import { CompositeExtension } from './composite-extension.js';
import { onLogRecord } from './predicates.js';
import { SimpleExtension, type SimpleExtensionOptions } from './simple-extension.js';
import { TrackTheBest, type ChooseBest } from './track-the-best.js';

/** How long training goes on without an improvement: so many batches, or so many epochs. */
export interface Patience {
  readonly iterations?: number | undefined;
  readonly epochs?: number | undefined;
}

/** Options of {@link FinishIfNoImprovementAfter}. */
export interface FinishIfNoImprovementAfterOptions extends SimpleExtensionOptions, Patience {
  /** The record of the log that tells of an improvement, such as that of `TrackTheBest`. */
  readonly notificationName: string;
  /** The record in which it says how much patience is left. Default `<notificationName>_patience_epochs`, or `_patience_iterations`. */
  readonly patienceLogRecord?: string;
}

/**
 * Finishes training when there was no improvement for so many epochs or batches; by default it looks after each epoch. Before the first
 * improvement there is none to wait for; where none was told by the end of the first epoch, that is warned of. (The original finished only if it looked at the very batch at which patience was 0.)
 */
export class FinishIfNoImprovementAfter extends SimpleExtension {
  readonly notificationName: string;
  readonly #patience: number;
  readonly #unit: 'epochsDone' | 'iterationsDone';
  readonly #patienceLogRecord: string;
  #lastBest: number | undefined;

  /** @throws Error unless exactly one of iterations and epochs is given */
  constructor(options: FinishIfNoImprovementAfterOptions) {
    super(options, { afterEpoch: true });
    const { epochs, iterations, notificationName } = options;
    const patience = epochs ?? iterations;
    if (patience === undefined || (epochs !== undefined && iterations !== undefined)) {
      throw new Error(`${this.name}: give either iterations or epochs`);
    }
    if (!Number.isSafeInteger(patience) || patience < 1) {
      throw new Error(`${this.name}: ${patience} is no patience; give a whole number of at least 1`);
    }
    this.notificationName = notificationName;
    this.#patience = patience;
    this.#unit = epochs === undefined ? 'iterationsDone' : 'epochsDone';
    const record = epochs === undefined ? '_patience_iterations' : '_patience_epochs';
    this.#patienceLogRecord = options.patienceLogRecord ?? notificationName + record;
  }

  override attach(mainLoop: TrainingContext): void {
    super.attach(mainLoop);
    awaitRecords(this.name, mainLoop.log, [this.notificationName]);
  }

  override do(): void {
    const { currentRow, status } = this.mainLoop.log;
    const now = status[this.#unit];
    if (currentRow[this.notificationName]) this.#lastBest = now;
    if (this.#lastBest === undefined) return;
    const left = this.#patience - (now - this.#lastBest);
    currentRow[this.#patienceLogRecord] = left;
    if (left <= 0) currentRow[FINISH_REQUESTED] = true;
  }

  override state(): VersionedState {
    return { ...PATIENCE.head, lastBest: this.#lastBest ?? null };
  }

  override restore(state: VersionedState): void {
    const { lastBest } = PATIENCE.read(state, this.name);
    this.#lastBest = typeof lastBest === 'number' ? lastBest : undefined;
  }
}

const PATIENCE = new StateKind('FinishIfNoImprovementAfter', { version: 1 });

/** Options of {@link EarlyStopping}. */
export interface EarlyStoppingOptions extends SimpleExtensionOptions, Patience {
  /** The record of the log that is to become better, such as `valid_cost`. */
  readonly recordName: string;
  /** The record by which a new best value is told. Default `<recordName>_best_so_far`. */
  readonly notificationName?: string;
  /** Chooses the better of two values: `Math.min` or `Math.max`. Default `Math.min`. */
  readonly chooseBest?: ChooseBest;
  /** Saves training whenever there is a new best value. It belongs to this extension: the main loop is not given it, too. Default: nothing is saved. */
  readonly checkpointExtension?: Checkpoint;
}

/**
 * Finishes training when a record no longer becomes better: `new EarlyStopping({ recordName: 'valid_cost', epochs: 5 })`. By default it looks after each
 * epoch; it comes after the extension that writes the record.
 */
export class EarlyStopping extends CompositeExtension {
  constructor(options: EarlyStoppingOptions) {
    const { checkpointExtension, recordName, notificationName, chooseBest, epochs, iterations, ...rest } = options;
    const { name = 'EarlyStopping', ...conditions } = rest;
    const track = new TrackTheBest({
      ...conditions,
      recordName,
      ...(notificationName === undefined ? {} : { notificationName }),
      ...(chooseBest === undefined ? {} : { chooseBest }),
    });
    const stop = new FinishIfNoImprovementAfter({
      ...conditions,
      notificationName: track.notificationName,
      epochs,
      iterations,
    });
    checkpointExtension?.addCondition(['afterBatch', 'afterEpoch'], { predicate: onLogRecord(track.notificationName) });
    super([track, stop, ...(checkpointExtension === undefined ? [] : [checkpointExtension])], { name });
  }
}
