import { add, cast, div, mul, sqrt, square, sub, type SharedVariable, type Variable } from '@longrun/tensor';

import { checkedDecayRate, StepRule, type StepAndUpdates, type StepRuleOptions } from './step-rule.js';

/** Options of {@link AdaDelta}. */
export interface AdaDeltaOptions extends StepRuleOptions {
  /** Of the means of squares. Default 0.95. */
  readonly decayRate?: number;
  /** Added to the means of squares. Default 1e-6. */
  readonly epsilon?: number;
}

/**
 * AdaDelta (Zeiler, 2012): each element's step has the size of those before it, and needs no learning rate.
 *
 *     meanSquare = decayRate * meanSquare + (1 - decayRate) * g ** 2
 *     step = sqrt(meanSquareStep + epsilon) / sqrt(meanSquare + epsilon) * g
 *     meanSquareStep = decayRate * meanSquareStep + (1 - decayRate) * step ** 2
 *
 * Buffers: `mean_square_step_tm1` and `mean_square_delta_x_tm1` of each parameter, as the original calls them.
 */
export class AdaDelta extends StepRule {
  readonly decayRate: SharedVariable;
  readonly epsilon: SharedVariable;

  constructor(options: AdaDeltaOptions = {}) {
    super(options);
    this.decayRate = this.hyperparameter('decay_rate', checkedDecayRate(this.name, options.decayRate ?? 0.95));
    this.epsilon = this.hyperparameter('epsilon', options.epsilon ?? 1e-6);
  }

  override computeStep(parameter: SharedVariable, previousStep: Variable): StepAndUpdates {
    const { dtype } = parameter;
    const [keep, added] = [cast(this.decayRate, dtype), cast(sub(1, this.decayRate), dtype)];
    const epsilon = cast(this.epsilon, dtype);
    const meanSquare = this.bufferFor(parameter, 'mean_square_step_tm1');
    const meanSquareStep = this.bufferFor(parameter, 'mean_square_delta_x_tm1');
    const nextMeanSquare = add(mul(meanSquare, keep), mul(square(previousStep), added));
    const root = (mean: Variable): Variable => sqrt(add(mean, epsilon));
    const step = mul(div(root(meanSquareStep), root(nextMeanSquare)), previousStep);
    const nextMeanSquareStep = add(mul(meanSquareStep, keep), mul(square(step), added));
    return {
      step,
      updates: [
        [meanSquare, nextMeanSquare],
        [meanSquareStep, nextMeanSquareStep],
      ],
    };
  }
}
