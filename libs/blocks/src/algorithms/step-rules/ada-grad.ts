import { add, cast, div, mul, sqrt, square, type SharedVariable, type Variable } from '@longrun/tensor';

import { StepRule, type StepAndUpdates, type StepRuleOptions } from './step-rule.js';

/** Options of {@link AdaGrad}. */
export interface AdaGradOptions extends StepRuleOptions {
  /** Default 0.002. */
  readonly learningRate?: number;
  /** Added to the root of the sum of squares. Default 1e-6. */
  readonly epsilon?: number;
}

/**
 * AdaGrad (Duchi et al., 2011): `squares = squares + g ** 2; step = learningRate * g / (sqrt(squares) + epsilon)`.
 * Buffer: `sum_square` of each parameter.
 */
export class AdaGrad extends StepRule {
  readonly learningRate: SharedVariable;
  readonly epsilon: SharedVariable;

  constructor(options: AdaGradOptions = {}) {
    super(options);
    this.learningRate = this.hyperparameter('learning_rate', options.learningRate ?? 0.002);
    this.epsilon = this.hyperparameter('epsilon', options.epsilon ?? 1e-6);
  }

  override computeStep(parameter: SharedVariable, previousStep: Variable): StepAndUpdates {
    const { dtype } = parameter;
    const squares = this.bufferFor(parameter, 'sum_square');
    const next = add(squares, square(previousStep));
    const step = div(mul(previousStep, cast(this.learningRate, dtype)), add(sqrt(next), cast(this.epsilon, dtype)));
    return { step, updates: [[squares, next]] };
  }
}
