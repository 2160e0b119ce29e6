import type { DataStream } from '@longrun/fuel';
import type { RandomStreams } from '@longrun/serialization';
import type { ComputeOptions } from '@longrun/tensor';

import type { TrainingAlgorithm } from '../algorithms/training-algorithm.js';
import type { TrainingExtension } from '../extensions/training-extension.js';
import type { Model } from '../graph/model.js';
import type { LogBackendName } from '../configuration/config.js';
import type { TrainingLogBase } from '../log/training-log-base.js';
import type { Outputs } from '../outputs/outputs.js';

/** Options of `MainLoop`. */
export interface MainLoopOptions extends ComputeOptions {
  readonly algorithm: TrainingAlgorithm;
  /** The batches to train on. Endless as far as epochs go: what ends training is an extension. */
  readonly dataStream: DataStream;
  /** Default: the model of the algorithm's cost. */
  readonly model?: Model;
  /** Default: a new one of `logBackend`. */
  readonly log?: TrainingLogBase;
  /** Of which kind the log is that is made where none is given. Default: `config.logBackend`, which is `python` where nobody sets it: in memory. */
  readonly logBackend?: LogBackendName;
  /** Called in this order. Default none. */
  readonly extensions?: readonly TrainingExtension[];
  /** Random streams whose state belongs to that of training. Default none. */
  readonly random?: RandomStreams;
  /** Files that belong to the state of training. Default none. */
  readonly outputs?: Outputs;
}

/** How `run()` ended: for good, or to go on from where it stopped. */
export type RunOutcome = 'finished' | 'stopped';

/** Options of `MainLoop.run`. */
export interface RunOptions {
  /** Stops training at the next step boundary when it is aborted; see `requestStop()`. */
  readonly signal?: AbortSignal;
}
