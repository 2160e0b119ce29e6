import { cast, mul, type SharedVariable, type Variable } from '@longrun/tensor';

import { StepRule, type StepAndUpdates, type StepRuleOptions } from './step-rule.js';

/** Options of {@link Scale}. */
export interface ScaleOptions extends StepRuleOptions {
  /** Default 1. */
  readonly learningRate?: number;
}

/** `step = learningRate * previous`: plain gradient descent. */
export class Scale extends StepRule {
  readonly learningRate: SharedVariable;

  constructor(options: ScaleOptions = {}) {
    super(options);
    this.learningRate = this.hyperparameter('learning_rate', options.learningRate ?? 1);
  }

  override computeStep(_parameter: SharedVariable, previousStep: Variable): StepAndUpdates {
    return { step: mul(previousStep, cast(this.learningRate, previousStep.dtype)) };
  }
}
