import { SimpleExtension, type SimpleExtensionOptions } from './simple-extension.js';

/** Finishes training: `new FinishAfter({ afterNEpochs: 3 })`. No default conditions. */
export class FinishAfter extends SimpleExtension {
  /** After how many epochs training ends, if that is one of the conditions. */
  readonly afterNEpochs: number | undefined;
  /** After how many batches training ends, if that is one of the conditions. */
  readonly afterNBatches: number | undefined;

  constructor(options: SimpleExtensionOptions = {}) {
    super(options);
    this.afterNEpochs = options.afterNEpochs;
    this.afterNBatches = options.afterNBatches;
  }

  override do(): void {
    this.mainLoop.log.currentRow['training_finish_requested'] = true;
  }
}
