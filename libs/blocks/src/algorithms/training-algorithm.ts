import type { Json, NdArray } from '@longrun/serialization';
import type { Batch, DataStream } from '@longrun/fuel';
import type { BrickProfile, ProfileOptions } from '../graph/brick-profile.js';
import type { ComputeOptions, SharedVariable, Variable } from '@longrun/tensor';

/** What the main loop needs of an algorithm (Blocks: `TrainingAlgorithm`). */
export interface TrainingAlgorithm {
  /** What it minimizes, a scalar, where it is one that has a cost. */
  readonly cost?: Variable | undefined;
  /** What it trains. */
  readonly parameters: readonly SharedVariable[];
  /** Every shared variable that a step reads or writes; always in the same order for the same program. All are saved. */
  readonly sharedVariables: readonly SharedVariable[];
  /** What the model is made of when the main loop is given none. */
  readonly outputs: readonly Variable[];
  /** What tells it from others that train the same variables. Saved with the main loop, which refuses to go on with another one. */
  identity(): Json;
  /** Gets ready to process batches. Called once, before the first. */
  initialize(options: ComputeOptions): Promise<void>;
  /** One step of training. The columns of the batch are good until the step is over: what is to be kept of them is copied. */
  processBatch(batch: Batch): Promise<void>;
  /** What a step on this batch takes, by brick: it is computed some times for that, and nothing is updated. @throws Error where the engine does not tell */
  profile?(batch: Batch, options?: ProfileOptions): Promise<BrickProfile>;
  /** Has the values of variables computed with each step, before its updates. To be called before `initialize()`. */
  observe(variables: readonly Variable[]): void;
  /** The value of an observed variable in the last step. */
  observed(variable: Variable): NdArray;
  /** How many examples a batch has. */
  examplesIn(batch: Batch, stream: Pick<DataStream, 'axisLabels' | 'producesExamples'>): number;
}
