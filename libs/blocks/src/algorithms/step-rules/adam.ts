import { add, cast, div, mul, pow, sqrt, square, sub, type SharedVariable, type Variable } from '@longrun/tensor';

import {
  checkedBeta,
  StepRule,
  type StepCount,
  type StepRuleOptions,
  type Steps,
  type StepsAndUpdates,
} from './step-rule.js';

/** Options of {@link Adam}. */
export interface AdamOptions extends StepRuleOptions {
  /** Default 0.002. */
  readonly learningRate?: number;
  /** Decay of the mean of gradients. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of their squares. Default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the mean square. Default 1e-8. */
  readonly epsilon?: number;
  /** `beta1` is multiplied by this with each step. Default 1. */
  readonly decayFactor?: number;
}

/**
 * Adam (Kingma and Ba, 2014), by the formula of Blocks. At step t of a parameter, from 1:
 *
 *     b1 = beta1 * decayFactor ** (t - 1)
 *     mean = b1 * mean + (1 - b1) * g
 *     variance = beta2 * variance + (1 - beta2) * g ** 2
 *     step = learningRate * sqrt(1 - beta2 ** t) / (1 - b1 ** t) * mean / (sqrt(variance) + epsilon)
 *
 * Buffers: `mean` and `variance` of each parameter, and one `time` for all that are trained at all steps (Blocks had one for each parameter).
 * The scalars are computed in float64, once a step.
 */
export class Adam extends StepRule {
  readonly learningRate: SharedVariable;
  readonly beta1: SharedVariable;
  readonly beta2: SharedVariable;
  readonly epsilon: SharedVariable;
  readonly decayFactor: SharedVariable;
  /** Steps done. Of parameters that are frozen at times, see `GradualFreezing`. */
  readonly time: SharedVariable;

  constructor(options: AdamOptions = {}) {
    super(options);
    this.learningRate = this.hyperparameter('learning_rate', options.learningRate ?? 0.002);
    this.beta1 = this.hyperparameter('beta1', checkedBeta(this.name, 'beta1', options.beta1 ?? 0.9));
    this.beta2 = this.hyperparameter('beta2', checkedBeta(this.name, 'beta2', options.beta2 ?? 0.999));
    this.epsilon = this.hyperparameter('epsilon', options.epsilon ?? 1e-8);
    this.decayFactor = this.hyperparameter('decay_factor', options.decayFactor ?? 1);
    this.time = this.scalarBuffer('time', 0);
  }

  override computeSteps(previous: Steps): StepsAndUpdates {
    // In the order of the parameters.
    const steps = new Map(previous);
    const updates: [SharedVariable, Variable][] = [];
    for (const count of this.stepCounts(this.time, previous)) {
      updates.push([count.done, count.next]);
      const scalars = this.#scalars(count);
      for (const [parameter, gradient] of count.previous) {
        const { rate, keepMean, addMean, keepVariance, addVariance, epsilon } = scalars(parameter.dtype);
        const mean = this.bufferFor(parameter, 'mean');
        const variance = this.bufferFor(parameter, 'variance');
        const nextMean = add(mul(mean, keepMean), mul(gradient, addMean));
        const nextVariance = add(mul(variance, keepVariance), mul(square(gradient), addVariance));
        steps.set(parameter, div(mul(nextMean, rate), add(sqrt(nextVariance), epsilon)));
        updates.push([mean, nextMean], [variance, nextVariance]);
      }
    }
    return { steps, updates };
  }

  /** Shared by all parameters of a dtype, so that an engine computes them once. */
  #scalars({ done, step }: StepCount): (dtype: Variable['dtype']) => Scalars {
    const beta1 = mul(this.beta1, pow(this.decayFactor, done));
    const correction = div(sqrt(sub(1, pow(this.beta2, step))), sub(1, pow(beta1, step)));
    const made = new Map<Variable['dtype'], Scalars>();
    return (dtype) => {
      const scalars = made.get(dtype) ?? {
        rate: cast(mul(this.learningRate, correction), dtype),
        keepMean: cast(beta1, dtype),
        addMean: cast(sub(1, beta1), dtype),
        keepVariance: cast(this.beta2, dtype),
        addVariance: cast(sub(1, this.beta2), dtype),
        epsilon: cast(this.epsilon, dtype),
      };
      made.set(dtype, scalars);
      return scalars;
    };
  }
}

/** What the formula has besides arrays. */
type Scalars = Readonly<Record<'rate' | 'keepMean' | 'addMean' | 'keepVariance' | 'addVariance' | 'epsilon', Variable>>;
