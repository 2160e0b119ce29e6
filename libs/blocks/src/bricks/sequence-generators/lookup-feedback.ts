import type { Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { Dimension } from '../brick.js';
import type { InitializableOptions } from '../initializable.js';
import { lazy, type Lazy } from '../lazy.js';
import { LookupTable } from '../lookup-table.js';
import { AbstractFeedback } from './abstract-feedback.js';

/** Options of {@link LookupFeedback}. */
export interface LookupFeedbackOptions extends InitializableOptions {
  /** How many outputs there may be. May be set later. */
  readonly numOutputs?: number | undefined;
  /** Size of a row. May be set later. */
  readonly feedbackDim?: number | undefined;
}

/** Of an integer output, the row of a `LookupTable` is fed back. */
export class LookupFeedback extends AbstractFeedback {
  readonly numOutputs: Lazy<number>;
  readonly feedbackDim: Lazy<number>;
  readonly lookup = new LookupTable();

  constructor(options: LookupFeedbackOptions = {}) {
    super(options);
    this.numOutputs = lazy(options.numOutputs, 'numOutputs');
    this.feedbackDim = lazy(options.feedbackDim, 'feedbackDim');
    this.addChild(this.lookup);
  }

  @application({ inputs: ['outputs'], outputs: ['feedback'] })
  override feedback(outputs: Variable): Variable {
    return this.lookup.apply(outputs);
  }

  protected override pushAllocation(): void {
    super.pushAllocation();
    this.lookup.length.value = this.numOutputs.value;
    this.lookup.dim.value = this.feedbackDim.value;
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (name === 'outputs') return 0;
    return name === 'feedback' && this.feedbackDim.isSet ? this.feedbackDim.value : super.dimensionOf(name);
  }
}
