import { add, cast, div, lt, mul, sqrt, square, sub, where, type SharedVariable, type Variable } from '@longrun/tensor';

import { CompositeRule } from './composite-rule.js';
import { Scale } from './scale.js';
import { checkedDecayRate, StepRule, type StepAndUpdates, type StepRuleOptions } from './step-rule.js';

/** Options of {@link BasicRMSProp}. */
export interface BasicRMSPropOptions extends StepRuleOptions {
  /** Of the mean of squares. Default 0.9. */
  readonly decayRate?: number;
  /** How many times its size a gradient becomes at most. Default 1e5. */
  readonly maxScaling?: number;
}

/**
 * `meanSquare = decayRate * meanSquare + (1 - decayRate) * g ** 2; step = g / max(sqrt(meanSquare), 1 / maxScaling)` (Hinton, 2012).
 * Buffer: `mean_square` of each parameter. (In the original `max_scaling` was a number, which could not be changed while training.)
 */
export class BasicRMSProp extends StepRule {
  readonly decayRate: SharedVariable;
  readonly maxScaling: SharedVariable;

  constructor(options: BasicRMSPropOptions = {}) {
    super(options);
    const maxScaling = options.maxScaling ?? 1e5;
    if (!(maxScaling > 0)) throw new Error(`${this.name}: maxScaling is ${maxScaling}; give a number above 0`);
    this.decayRate = this.hyperparameter('decay_rate', checkedDecayRate(this.name, options.decayRate ?? 0.9));
    this.maxScaling = this.hyperparameter('max_scaling', maxScaling);
  }

  override computeStep(parameter: SharedVariable, previousStep: Variable): StepAndUpdates {
    const { dtype } = parameter;
    const meanSquare = this.bufferFor(parameter, 'mean_square');
    const next = add(
      mul(meanSquare, cast(this.decayRate, dtype)),
      mul(square(previousStep), cast(sub(1, this.decayRate), dtype)),
    );
    const [root, least] = [sqrt(next), cast(div(1, this.maxScaling), dtype)];
    // The larger one, in a form that kernels of fused updates compute.
    return { step: div(previousStep, where(lt(root, least), least, root)), updates: [[meanSquare, next]] };
  }
}

/** Options of {@link RMSProp}. */
export interface RMSPropOptions extends BasicRMSPropOptions {
  /** Default 1. */
  readonly learningRate?: number;
}

/** {@link BasicRMSProp}, then {@link Scale}. */
export class RMSProp extends CompositeRule {
  readonly learningRate: SharedVariable;
  readonly decayRate: SharedVariable;
  readonly maxScaling: SharedVariable;

  constructor(options: RMSPropOptions = {}) {
    const named = { name: options.name ?? 'rmsprop' };
    const { learningRate = 1, decayRate = 0.9, maxScaling = 1e5 } = options;
    const basic = new BasicRMSProp({ ...named, decayRate, maxScaling });
    const scale = new Scale({ ...named, learningRate });
    super([basic, scale], named);
    this.learningRate = scale.learningRate;
    this.decayRate = basic.decayRate;
    this.maxScaling = basic.maxScaling;
  }
}
