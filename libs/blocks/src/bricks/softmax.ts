import { identity, logSoftmax, mul, neg, pick, softmax, sum, type Variable } from '@longrun/tensor';

import { Activation } from './activations.js';
import { application } from './application.js';
import { currentCall } from './application-call.js';

/** Softmax over the last axis, and the costs that go with it. */
export class Softmax extends Activation {
  /** Probabilities `(..., classes)` from logits of the same shape. */
  @application({ inputs: ['input'], outputs: ['output'] })
  override apply(input: Variable): Variable {
    return softmax(input);
  }

  /** The logarithms of {@link apply}, computed without overflow. */
  @application({ inputs: ['input'], outputs: ['log_prob'] })
  logProbabilities(input: Variable): Variable {
    return logSoftmax(input);
  }

  /**
   * Cross entropy `(batch)` of each example, from logits.
   *
   * @param y the classes: integers `(batch)`, or distributions `(batch, classes)`
   * @param x logits `(batch, classes)`
   */
  @application({ inputs: ['y', 'x'], outputs: ['output'] })
  categoricalCrossEntropy(y: Variable, x: Variable): Variable {
    const logProbabilities = this.logProbabilities(x);
    currentCall().addAuxiliaryVariable(identity(logProbabilities), { name: 'log_probabilities' });
    if (y.ndim === x.ndim - 1) return neg(pick(logProbabilities, y));
    if (y.ndim === x.ndim) return neg(sum(mul(logProbabilities, y), { axis: -1 }));
    throw new Error(
      `${this.uniquePath}.categoricalCrossEntropy: y has ${y.ndim} axes but x has ${x.ndim}; ` +
        `give y ${x.ndim - 1} axes (classes) or ${x.ndim} (distributions)`,
    );
  }
}
