import { argmax, cast, dimshuffle, floatX, ge, lt, mean, neq, pick, sub, sum, type Variable } from '@longrun/tensor';

import { COST } from '../roles.js';
import { application } from './application.js';
import type { BrickOptions } from './brick.js';
import { Cost } from './cost.js';

/** Options of {@link MisclassificationRate}. */
export interface MisclassificationRateOptions extends BrickOptions {
  /** A prediction is right when the true class is among this many best. Default 1. */
  readonly topK?: number;
}

/**
 * Share of wrong predictions, from 0 to 1. `y` (batch) integers, `yHat` (batch, classes) scores.
 *
 * With `topK` above 1, ties with the true class count against it, so that equal scores do not make a longer list; and so does NaN.
 */
export class MisclassificationRate extends Cost {
  readonly topK: number;

  constructor(options: MisclassificationRateOptions = {}) {
    super(options);
    this.topK = options.topK ?? 1;
    if (!Number.isInteger(this.topK) || this.topK < 1) {
      throw new Error(`${this.uniquePath}: topK is ${this.topK}; give a whole number of at least 1`);
    }
  }

  @application({ inputs: ['y', 'y_hat'], outputs: ['cost'], outputRoles: [COST] })
  override apply(y: Variable, yHat: Variable): Variable {
    return mean(cast(this.#mistakes(y, yHat), floatX()));
  }

  #mistakes(y: Variable, yHat: Variable): Variable {
    if (this.topK === 1) return neq(cast(y, 'int64'), argmax(yHat));
    const scoreOfTruth = dimshuffle(pick(yHat, y), [...y.shape.keys(), 'x']);
    // Not worse, and so at least as good: NaN is neither, so that the scores of a model that has diverged are all wrong.
    const atLeastAsGood = sum(sub(1, cast(lt(yHat, scoreOfTruth), 'int64')), { axis: -1 });
    // The true class is among those at least as good as itself.
    return ge(sub(atLeastAsGood, 1), this.topK);
  }
}
