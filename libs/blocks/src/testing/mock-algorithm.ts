import { setTimeout } from 'node:timers/promises';

import type { Batch, DataStream } from '@longrun/fuel';
import type { Json, NdArray } from '@longrun/serialization';
import type { SharedVariable, Variable } from '@longrun/tensor';

import type { TrainingAlgorithm } from '../algorithms/training-algorithm.js';

/** Options of {@link MockAlgorithm}. */
export interface MockAlgorithmOptions {
  /** How long a batch takes, in seconds as the original has it. Default 0. */
  readonly delayTime?: number;
}

/** An algorithm that trains nothing and counts the batches, to try extensions with (Blocks: `MockAlgorithm`). */
export class MockAlgorithm implements TrainingAlgorithm {
  readonly parameters: readonly SharedVariable[] = [];
  readonly sharedVariables: readonly SharedVariable[] = [];
  readonly outputs: readonly Variable[] = [];
  /** How many batches there were in this process. */
  batchesProcessed = 0;
  readonly #delayTime: number;

  constructor({ delayTime = 0 }: MockAlgorithmOptions = {}) {
    this.#delayTime = delayTime;
  }

  identity(): Json {
    return { algorithm: 'MockAlgorithm' };
  }

  async initialize(): Promise<void> {}

  async processBatch(): Promise<void> {
    if (this.#delayTime > 0) await setTimeout(1000 * this.#delayTime);
    this.batchesProcessed += 1;
  }

  /** It computes nothing. @throws Error unless there is nothing to observe */
  observe(variables: readonly Variable[]): void {
    if (variables.length > 0) throw new Error('MockAlgorithm computes no variables; observe an UpdatesAlgorithm');
  }

  observed(variable: Variable): NdArray {
    throw new Error(`MockAlgorithm computes no variables, and so not ${variable.toString()}`);
  }

  examplesIn(batch: Batch, stream: Pick<DataStream, 'producesExamples'>): number {
    const [column] = batch.columns.values();
    if (stream.producesExamples || column === undefined || !('shape' in column)) return 1;
    return column.shape[0] ?? 1;
  }
}
