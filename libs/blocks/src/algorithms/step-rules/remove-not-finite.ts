import { all, cast, isfinite, mul, sub, where, type SharedVariable, type Variable } from '@longrun/tensor';

import { StepRule, type StepAndUpdates, type StepRuleOptions } from './step-rule.js';

/** Options of {@link RemoveNotFinite}. */
export interface RemoveNotFiniteOptions extends StepRuleOptions {
  /** What a parameter is multiplied by whose step is not finite. Default 1: it stays. */
  readonly scaler?: number;
}

/**
 * Leaves out the step of a parameter where any of its elements is NaN or infinite: `step = (1 - scaler) * parameter`. (The original looked at the sum
 * of a step, which large elements make infinite, too.)
 */
export class RemoveNotFinite extends StepRule {
  readonly scaler: SharedVariable;

  constructor(options: RemoveNotFiniteOptions = {}) {
    super(options);
    this.scaler = this.hyperparameter('scaler', options.scaler ?? 1);
  }

  override computeStep(parameter: SharedVariable, previousStep: Variable): StepAndUpdates {
    const instead = mul(parameter, cast(sub(1, this.scaler), parameter.dtype));
    return { step: where(all(isfinite(previousStep)), previousStep, instead) };
  }
}
