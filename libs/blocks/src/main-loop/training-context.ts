import type { DataStream } from '@longrun/fuel';
import type { RandomStreams, VersionedState } from '@longrun/serialization';
import type { ComputeTarget, NumericEnvironment } from '@longrun/tensor';

import type { TrainingAlgorithm } from '../algorithms/training-algorithm.js';
import type { Model } from '../graph/model.js';
import type { Inventory } from '../inventory/inventory.js';
import type { TrainingLogBase, TrainingStatus } from '../log/training-log-base.js';
import type { Outputs } from '../outputs/outputs.js';
import type { PinnedArrays } from '../snapshot/pinned-arrays.js';
import type { Hyperparameters } from './hyperparameters.js';
import type { MainLoopArrays } from './main-loop-contents.js';

/** Milliseconds spent since the main loop was constructed. */
export interface MainLoopTimes {
  readonly initializationMs: number;
  readonly readDataMs: number;
  readonly trainMs: number;
}

/** What snapshots are taken of. */
export interface SnapshotSource {
  readonly status: Readonly<TrainingStatus>;
  /** What the bits of the result depend on besides the program and its data. */
  readonly environment: NumericEnvironment;
  /** The files that are part of the state. */
  readonly outputs: Outputs | undefined;
  /** Everything but the arrays and the outputs, as JSON. To be called at a step boundary or while not running. */
  state(): VersionedState;
  /** The values as they are at the call, by reference: taking them costs nothing. To be released. */
  pinnedArrays(): PinnedArrays;
  /**
   * Says that training goes on. For extensions that do something long in one callback, which a host could take for something that
   * never ends: with every batch of an evaluation, say.
   */
  moved(): void;
}

/** Training as extensions see it: the main loop that they belong to. */
export interface TrainingContext extends SnapshotSource {
  readonly algorithm: TrainingAlgorithm;
  readonly dataStream: DataStream;
  readonly model: Model;
  readonly log: TrainingLogBase;
  /** The variables whose values are part of the state. Fixed once training has started. */
  readonly inventory: Inventory;
  /** What can be set while it trains. */
  readonly hyperparameters: Hyperparameters;
  /** The random streams whose state belongs to that of training. */
  readonly random: RandomStreams | undefined;
  /** Where functions are to run. */
  readonly target: ComputeTarget;
  readonly times: Readonly<MainLoopTimes>;
  /** After how many batches training will finish, as far as its extensions and the length of the stream tell; else null. */
  readonly plannedIterations: number | null;
  /** Whether it is to stop at the next step boundary: a callback that waits for something need not wait longer. */
  readonly stopRequested: boolean;
  /**
   * Stops training at the next step boundary, without `afterTraining`: the state then is one to go on from. May be called at
   * any time.
   */
  requestStop(): void;
  /** Finishes training after this batch or this epoch, with `afterTraining`. */
  requestFinish(after: 'batch' | 'epoch'): void;
  /** Copies of the values as they are at the call, which belong to the caller. */
  arrays(): Promise<MainLoopArrays>;
  /** Calls `action` once all extensions have had the present callback: then the state is complete. For extensions that save it. */
  atStepBoundary(action: () => void | Promise<void>): void;
}
