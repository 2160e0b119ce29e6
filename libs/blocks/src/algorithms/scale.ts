import { cast, mul, type SharedVariable } from '@longrun/tensor';

import { StepRule, type StepRuleOptions, type Steps, type StepsAndUpdates } from './step-rule.js';

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

  override computeSteps(previous: Steps): StepsAndUpdates {
    const steps = [...previous].map(
      ([parameter, step]) => [parameter, mul(step, cast(this.learningRate, step.dtype))] as const,
    );
    return { steps: new Map(steps), updates: [] };
  }
}
