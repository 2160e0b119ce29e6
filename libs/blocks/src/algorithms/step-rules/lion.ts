import { add, cast, mul, sign, sub, type SharedVariable, type Variable } from '@longrun/tensor';

import { checkedBeta, StepRule, type StepAndUpdates, type StepRuleOptions } from './step-rule.js';

/** Options of {@link Lion}. */
export interface LionOptions extends StepRuleOptions {
  /** Default 1e-4. */
  readonly learningRate?: number;
  /** The share of the mean in the step. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of gradients. Default 0.99. */
  readonly beta2?: number;
  /** The share of a parameter that is taken off with each step, times the learning rate. Default 0. */
  readonly weightDecay?: number;
}

/**
 * Lion (Chen et al., 2023): every element's step has the same size.
 *
 *     step = learningRate * (sign(beta1 * mean + (1 - beta1) * g) + weightDecay * parameter)
 *     mean = beta2 * mean + (1 - beta2) * g
 *
 * Buffer: `mean` of each parameter.
 */
export class Lion extends StepRule {
  readonly learningRate: SharedVariable;
  readonly beta1: SharedVariable;
  readonly beta2: SharedVariable;
  readonly weightDecay: SharedVariable;

  constructor(options: LionOptions = {}) {
    super(options);
    this.learningRate = this.hyperparameter('learning_rate', options.learningRate ?? 1e-4);
    this.beta1 = this.hyperparameter('beta1', checkedBeta(this.name, 'beta1', options.beta1 ?? 0.9));
    this.beta2 = this.hyperparameter('beta2', checkedBeta(this.name, 'beta2', options.beta2 ?? 0.99));
    this.weightDecay = this.hyperparameter('weight_decay', options.weightDecay ?? 0);
  }

  override computeStep(parameter: SharedVariable, previousStep: Variable): StepAndUpdates {
    const own = (scalar: Variable): Variable => cast(scalar, parameter.dtype);
    const mean = this.bufferFor(parameter, 'mean');
    const mixed = (share: Variable): Variable => add(mul(mean, own(share)), mul(previousStep, own(sub(1, share))));
    const direction = add(sign(mixed(this.beta1)), mul(parameter, own(this.weightDecay)));
    return { step: mul(direction, own(this.learningRate)), updates: [[mean, mixed(this.beta2)]] };
  }
}
