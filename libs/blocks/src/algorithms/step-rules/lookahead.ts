import type { Json } from '@longrun/serialization';
import { add, cast, eq, mod, mul, sub, where, type SharedVariable, type Variable } from '@longrun/tensor';

import { StepRule, type StepRuleOptions, type Steps, type StepsAndUpdates } from './step-rule.js';

/** Options of {@link Lookahead}. */
export interface LookaheadOptions extends StepRuleOptions {
  /** After how many steps the slow weights follow. Default 5. */
  readonly every?: number;
  /** How far they go towards the fast ones. Default 0.5. */
  readonly slowRate?: number;
}

/**
 * Lookahead (Zhang et al., 2019): a rule goes on from slow weights, which follow what it comes to only so far, every so many steps.
 *
 * Buffers: `way` of each parameter, the sum of its steps since it was that of the slow weights, and one `time` for all.
 */
export class Lookahead extends StepRule {
  readonly stepRule: StepRule;
  readonly every: SharedVariable;
  readonly slowRate: SharedVariable;
  /** Steps done. */
  readonly time: SharedVariable;

  constructor(stepRule: StepRule, options: LookaheadOptions = {}) {
    super(options);
    this.stepRule = stepRule;
    this.every = this.hyperparameter('every', wholeSteps(this.name, options.every ?? 5));
    this.slowRate = this.hyperparameter('slow_rate', options.slowRate ?? 0.5);
    this.time = this.scalarBuffer('time', 0);
  }

  override computeSteps(previous: Steps): StepsAndUpdates {
    const inner = this.stepRule.computeSteps(previous);
    const time = add(this.time, 1);
    const isDue = eq(mod(time, this.every), 0);
    const steps = new Map<SharedVariable, Variable>();
    const updates: (readonly [SharedVariable, Variable])[] = [...inner.updates, [this.time, time]];
    for (const [parameter, step] of inner.steps) {
      const way = this.bufferFor(parameter, 'way');
      const next = add(way, step);
      const back = mul(next, cast(sub(1, this.slowRate), parameter.dtype));
      steps.set(parameter, where(isDue, sub(step, back), step));
      updates.push([way, where(isDue, 0, next)]);
    }
    return { steps, updates };
  }

  override identity(): Json {
    return { lookahead: this.stepRule.identity() };
  }
}

/** A number of steps. @throws Error when it is none */
export function wholeSteps(name: string, every: number): number {
  if (Number.isSafeInteger(every) && every >= 1) return every;
  throw new Error(`${name}: every is ${every}; give a whole number of steps of at least 1`);
}
