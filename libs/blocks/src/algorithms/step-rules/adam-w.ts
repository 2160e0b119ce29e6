import {
  add,
  cast,
  div,
  le,
  mul,
  pow,
  sqrt,
  square,
  sub,
  where,
  type SharedVariable,
  type Variable,
} from '@longrun/tensor';

import {
  checkedBeta,
  StepRule,
  type RuleUpdates,
  type StepRuleOptions,
  type Steps,
  type StepsAndUpdates,
} from './step-rule.js';

/** Options of {@link AdamW}; names and defaults are PyTorch's. */
export interface AdamWOptions extends StepRuleOptions {
  /** Default 0.001. */
  readonly learningRate?: number;
  /** Decay of the mean of gradients. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of their squares. Default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the corrected mean square. Default 1e-8. */
  readonly epsilon?: number;
  /** The share of a parameter that is taken off with each step, times the learning rate. Default 0.01. */
  readonly weightDecay?: number;
  /** Divides by the largest mean square so far (Reddi et al., 2018). Default false. */
  readonly amsgrad?: boolean;
}

/**
 * Adam with decay of the weights that the means do not see (Loshchilov and Hutter, 2019). At step t of a parameter, from 1:
 *
 *     mean = beta1 * mean + (1 - beta1) * g
 *     variance = beta2 * variance + (1 - beta2) * g ** 2
 *     root = sqrt(variance) / sqrt(1 - beta2 ** t) + epsilon
 *     step = learningRate * (mean / (1 - beta1 ** t) / root + weightDecay * parameter)
 *
 * Buffers: `mean`, `variance` and, with `amsgrad`, `max_variance` of each parameter, and one `time` for all that are trained at all steps.
 */
export class AdamW extends StepRule {
  readonly learningRate: SharedVariable;
  readonly beta1: SharedVariable;
  readonly beta2: SharedVariable;
  readonly epsilon: SharedVariable;
  readonly weightDecay: SharedVariable;
  readonly amsgrad: boolean;
  /** Steps done. Of parameters that are frozen at times, see `GradualFreezing`. */
  readonly time: SharedVariable;

  constructor(options: AdamWOptions = {}) {
    super(options);
    this.learningRate = this.hyperparameter('learning_rate', options.learningRate ?? 0.001);
    this.beta1 = this.hyperparameter('beta1', checkedBeta(this.name, 'beta1', options.beta1 ?? 0.9));
    this.beta2 = this.hyperparameter('beta2', checkedBeta(this.name, 'beta2', options.beta2 ?? 0.999));
    this.epsilon = this.hyperparameter('epsilon', options.epsilon ?? 1e-8);
    this.weightDecay = this.hyperparameter('weight_decay', options.weightDecay ?? 0.01);
    this.amsgrad = options.amsgrad ?? false;
    this.time = this.scalarBuffer('time', 0);
  }

  override computeSteps(previous: Steps): StepsAndUpdates {
    // In the order of the parameters.
    const steps = new Map(previous);
    const updates: (readonly [SharedVariable, Variable])[] = [];
    for (const { done, step, next, previous: gradients } of this.stepCounts(this.time, previous)) {
      updates.push([done, next]);
      const rate = div(this.learningRate, sub(1, pow(this.beta1, step)));
      const root = sqrt(sub(1, pow(this.beta2, step)));
      const decay = mul(this.learningRate, this.weightDecay);
      for (const [parameter, gradient] of gradients) {
        const own = (scalar: Variable): Variable => cast(scalar, parameter.dtype);
        const mean = this.bufferFor(parameter, 'mean');
        const variance = this.bufferFor(parameter, 'variance');
        const nextMean = add(mul(mean, own(this.beta1)), mul(gradient, own(sub(1, this.beta1))));
        const nextVariance = add(mul(variance, own(this.beta2)), mul(square(gradient), own(sub(1, this.beta2))));
        const { largest, updates: ofLargest } = this.#largest(parameter, nextVariance);
        const divisor = add(div(sqrt(largest), own(root)), own(this.epsilon));
        steps.set(parameter, add(div(mul(nextMean, own(rate)), divisor), mul(parameter, own(decay))));
        updates.push([mean, nextMean], [variance, nextVariance], ...ofLargest);
      }
    }
    return { steps, updates };
  }

  #largest(parameter: SharedVariable, variance: Variable): { largest: Variable; updates: RuleUpdates } {
    if (!this.amsgrad) return { largest: variance, updates: [] };
    const before = this.bufferFor(parameter, 'max_variance');
    // The larger one, in a form that kernels of fused updates compute.
    const largest = where(le(variance, before), before, variance);
    return { largest, updates: [[before, largest]] };
  }
}

/** Adam that divides by the largest mean square so far (Reddi et al., 2018): `AdamW` with `amsgrad`, and no decay unless asked for. */
export class AMSGrad extends AdamW {
  constructor(options: Omit<AdamWOptions, 'amsgrad'> = {}) {
    super({ weightDecay: 0, ...options, amsgrad: true });
  }
}
