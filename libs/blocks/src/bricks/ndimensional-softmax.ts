import type { Variable } from '@longrun/tensor';

import { application } from './application.js';
import { wrap } from './brick-wrapper.js';
import { Softmax } from './softmax.js';
import { WithExtraDims, type ExtraDims } from './with-extra-dims.js';

/** A {@link Softmax} whose inputs may have more axes before that of the examples: `softmax.apply(logits, { extraNdim: 1 })`. */
export class NDimensionalSoftmax extends Softmax {
  override apply(input: Variable, dims?: ExtraDims): Variable;
  @wrap(new WithExtraDims())
  @application({ inputs: ['input'], outputs: ['output'] })
  override apply(input: Variable): Variable {
    return super.apply(input);
  }

  override logProbabilities(input: Variable, dims?: ExtraDims): Variable;
  @wrap(new WithExtraDims())
  @application({ inputs: ['input'], outputs: ['log_prob'] })
  override logProbabilities(input: Variable): Variable {
    return super.logProbabilities(input);
  }

  override categoricalCrossEntropy(y: Variable, x: Variable, dims?: ExtraDims): Variable;
  @wrap(new WithExtraDims())
  @application({ inputs: ['y', 'x'], outputs: ['output'] })
  override categoricalCrossEntropy(y: Variable, x: Variable): Variable {
    return super.categoricalCrossEntropy(y, x);
  }
}
