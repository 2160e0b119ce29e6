import { log, mean, mul, neg, pick, sum, type Variable } from '@longrun/tensor';

import { COST } from '../roles.js';
import { application } from './application.js';
import { Cost } from './cost.js';

/**
 * Mean cross entropy, from probabilities. Where there are logits, `Softmax.categoricalCrossEntropy` is more exact.
 *
 * `y` (batch) integers or (batch, classes) distributions; `yHat` (batch, classes) probabilities.
 */
export class CategoricalCrossEntropy extends Cost {
  @application({ inputs: ['y', 'y_hat'], outputs: ['cost'], outputRoles: [COST] })
  override apply(y: Variable, yHat: Variable): Variable {
    if (y.ndim === yHat.ndim - 1) return mean(neg(log(pick(yHat, y))));
    if (y.ndim === yHat.ndim) return mean(neg(sum(mul(y, log(yHat)), { axis: -1 })));
    throw new Error(
      `${this.uniquePath}.apply: y has ${y.ndim} axes but y_hat has ${yHat.ndim}; ` +
        `give y ${yHat.ndim - 1} axes (classes) or ${yHat.ndim} (distributions)`,
    );
  }
}
