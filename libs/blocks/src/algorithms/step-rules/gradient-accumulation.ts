import type { Json } from '@longrun/serialization';
import { add, cast, div, eq, mod, where, type SharedVariable, type Variable } from '@longrun/tensor';

import { wholeSteps } from './lookahead.js';
import { StepRule, type StepRuleOptions, type Steps, type StepsAndUpdates } from './step-rule.js';

/** Options of {@link GradientAccumulation}. */
export interface GradientAccumulationOptions extends StepRuleOptions {
  /** How many batches make one step. */
  readonly every: number;
}

/**
 * Has a rule make a step only every so many batches, of the mean of their gradients: as one batch as large as all of them, where memory has no room for
 * it. In between parameters stay, and so does what the rule remembers.
 *
 * Buffers: `total` of each parameter, and one `time` for all.
 */
export class GradientAccumulation extends StepRule {
  readonly stepRule: StepRule;
  readonly every: SharedVariable;
  /** Batches seen. */
  readonly time: SharedVariable;

  constructor(stepRule: StepRule, options: GradientAccumulationOptions) {
    super(options);
    this.stepRule = stepRule;
    this.every = this.hyperparameter('every', wholeSteps(this.name, options.every));
    this.time = this.scalarBuffer('time', 0);
  }

  override computeSteps(previous: Steps): StepsAndUpdates {
    const time = add(this.time, 1);
    const isDue = eq(mod(time, this.every), 0);
    const updates: (readonly [SharedVariable, Variable])[] = [[this.time, time]];
    const means = new Map<SharedVariable, Variable>();
    for (const [parameter, step] of previous) {
      const total = this.bufferFor(parameter, 'total');
      const next = add(total, step);
      means.set(parameter, div(next, cast(this.every, parameter.dtype)));
      updates.push([total, where(isDue, 0, next)]);
    }
    const inner = this.stepRule.computeSteps(means);
    const steps = [...inner.steps].map(([parameter, step]) => [parameter, where(isDue, step, 0)] as const);
    for (const [variable, value] of inner.updates) updates.push([variable, where(isDue, value, variable)]);
    return { steps: new Map(steps), updates };
  }

  override identity(): Json {
    return { gradientAccumulation: this.stepRule.identity() };
  }
}
