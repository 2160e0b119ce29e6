import { add, cast, mul, type SharedVariable, type Variable } from '@longrun/tensor';

import { CompositeRule } from './composite-rule.js';
import { Scale } from './scale.js';
import { StepRule, type StepAndUpdates, type StepRuleOptions } from './step-rule.js';

/** Options of {@link BasicMomentum}. */
export interface BasicMomentumOptions extends StepRuleOptions {
  /** Share of the last step that is kept. Default 0. */
  readonly momentum?: number;
}

/** `velocity = momentum * velocity + previous; step = velocity`. Buffer: `velocity` of each parameter. */
export class BasicMomentum extends StepRule {
  readonly momentum: SharedVariable;

  constructor(options: BasicMomentumOptions = {}) {
    super(options);
    this.momentum = this.hyperparameter('momentum', options.momentum ?? 0);
  }

  override computeStep(parameter: SharedVariable, previousStep: Variable): StepAndUpdates {
    const velocity = this.bufferFor(parameter, 'velocity');
    const next = add(mul(velocity, cast(this.momentum, velocity.dtype)), previousStep);
    return { step: next, updates: [[velocity, next]] };
  }
}

/**
 * `velocity = momentum * velocity + previous; step = momentum * velocity + previous` (Nesterov, 1983; blocks-extras: `BasicNesterovMomentum`).
 * Buffer: `velocity` of each parameter.
 */
export class BasicNesterovMomentum extends BasicMomentum {
  override computeStep(parameter: SharedVariable, previousStep: Variable): StepAndUpdates {
    const { step: velocity, ...rest } = super.computeStep(parameter, previousStep);
    return { step: add(mul(velocity, cast(this.momentum, velocity.dtype)), previousStep), ...rest };
  }
}

/** Options of {@link Momentum}. */
export interface MomentumOptions extends BasicMomentumOptions {
  /** Default 1. */
  readonly learningRate?: number;
}

/** {@link Scale}, then {@link BasicMomentum}. */
export class Momentum extends CompositeRule {
  readonly learningRate: SharedVariable;
  readonly momentum: SharedVariable;

  /** @param basic the rule that keeps a velocity */
  constructor(options: MomentumOptions = {}, basic: typeof BasicMomentum = BasicMomentum) {
    const named = { name: options.name ?? new.target.name.toLowerCase() };
    const scale = new Scale({ ...named, learningRate: options.learningRate ?? 1 });
    const momentum = new basic({ ...named, momentum: options.momentum ?? 0 });
    super([scale, momentum], named);
    this.learningRate = scale.learningRate;
    this.momentum = momentum.momentum;
  }
}

/** {@link Scale}, then {@link BasicNesterovMomentum}. */
export class NesterovMomentum extends Momentum {
  constructor(options: MomentumOptions = {}) {
    super(options, BasicNesterovMomentum);
  }
}
