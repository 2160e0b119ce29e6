import type { Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { Dimension } from '../brick.js';
import type { InitializableOptions } from '../initializable.js';
import { lazy, type Lazy } from '../lazy.js';
import { AbstractFeedback } from './abstract-feedback.js';

/** Options of {@link TrivialFeedback}. */
export interface TrivialFeedbackOptions extends InitializableOptions {
  /** Size of an output; 0 where it is a number. May be set later. */
  readonly outputDim?: number | undefined;
}

/** Outputs are fed back as they are. */
export class TrivialFeedback extends AbstractFeedback {
  readonly outputDim: Lazy<number>;

  constructor(options: TrivialFeedbackOptions = {}) {
    super(options);
    this.outputDim = lazy(options.outputDim, 'outputDim');
  }

  @application({ inputs: ['outputs'], outputs: ['feedback'] })
  override feedback(outputs: Variable): Variable {
    return outputs;
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    const isKnown = (name === 'outputs' || name === 'feedback') && this.outputDim.isSet;
    return isKnown ? this.outputDim.value : super.dimensionOf(name);
  }
}
