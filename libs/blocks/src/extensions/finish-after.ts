import { FINISH_REQUESTED, type TrainingStatus } from '../log/training-log-base.js';
import { SimpleExtension, type SimpleExtensionOptions } from './simple-extension.js';

/**
 * Finishes training: `new FinishAfter({ afterNEpochs: 3 })`. No default conditions. Training that goes on from a checkpoint at which so many epochs
 * or batches are done finishes there.
 */
export class FinishAfter extends SimpleExtension {
  /** After how many epochs training ends, if that is one of the conditions. */
  readonly afterNEpochs: number | undefined;
  /** After how many batches training ends, if that is one of the conditions. */
  readonly afterNBatches: number | undefined;

  constructor(options: SimpleExtensionOptions = {}) {
    super(options);
    this.afterNEpochs = options.afterNEpochs;
    this.afterNBatches = options.afterNBatches;
    this.addCondition(['onResumption'], { predicate: ({ status }) => this.#isOver(status) });
  }

  override plannedEnd(batchesPerEpoch: number | null): number | null {
    const ofEpochs =
      this.afterNEpochs === undefined || batchesPerEpoch === null ? Infinity : this.afterNEpochs * batchesPerEpoch;
    const end = Math.min(this.afterNBatches ?? Infinity, ofEpochs);
    return end === Infinity ? null : end;
  }

  override do(): void {
    this.mainLoop.log.currentRow[FINISH_REQUESTED] = true;
  }

  #isOver({ epochsDone, iterationsDone }: TrainingStatus): boolean {
    return epochsDone >= (this.afterNEpochs ?? Infinity) || iterationsDone >= (this.afterNBatches ?? Infinity);
  }
}
