import { abs, binaryCrossEntropy, mean, square, sub, sum, type Variable } from '@longrun/tensor';

import { COST } from '../roles.js';
import { application } from './application.js';
import { Cost } from './cost.js';

/** A cost that is a sum over the elements of each example, averaged over the batch (Blocks: `CostMatrix`). */
export abstract class CostMatrix extends Cost {
  /** Scalar: the mean over the batch of the sums of the rows of {@link costMatrix}. */
  @application({ inputs: ['y', 'y_hat'], outputs: ['cost'], outputRoles: [COST] })
  override apply(y: Variable, yHat: Variable): Variable {
    return mean(sum(this.costMatrix(y, yHat), { axis: 1 }));
  }

  /** The cost of each element, `(batch, dim)`, of targets and predictions of that shape. */
  abstract costMatrix(y: Variable, yHat: Variable): Variable;
}

/** Cross entropy of probabilities, each of a yes or no: `-(y log(yHat) + (1 - y) log(1 - yHat))`. */
export class BinaryCrossEntropy extends CostMatrix {
  @application({ inputs: ['y', 'y_hat'], outputs: ['cost'] })
  override costMatrix(y: Variable, yHat: Variable): Variable {
    return binaryCrossEntropy(yHat, y);
  }
}

/** `|y - yHat|` */
export class AbsoluteError extends CostMatrix {
  @application({ inputs: ['y', 'y_hat'], outputs: ['cost'] })
  override costMatrix(y: Variable, yHat: Variable): Variable {
    return abs(sub(y, yHat));
  }
}

/** `(y - yHat)²` */
export class SquaredError extends CostMatrix {
  @application({ inputs: ['y', 'y_hat'], outputs: ['cost'] })
  override costMatrix(y: Variable, yHat: Variable): Variable {
    return square(sub(y, yHat));
  }
}
