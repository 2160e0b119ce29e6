import {
  add,
  cast,
  clip,
  cos,
  div,
  floor,
  minimum,
  mul,
  pow,
  sub,
  type SharedVariable,
  type Variable,
} from '@longrun/tensor';

import { StepRule, type StepRuleOptions, type Steps, type StepsAndUpdates } from './step-rule.js';

/** What steps are multiplied by, from the number of those done: a graph of float64 scalars, 1 for a step as long as the rule makes it. */
export type Factor = (stepsDone: Variable) => Variable;

/**
 * Multiplies steps by a factor that changes as training goes on: `new CompositeRule([new Adam({ learningRate }), new Schedule(cosineDecay(10_000))])`. The learning
 * rate itself stays what it was set to, and can be set while training.
 *
 * Buffer: one `time` for all.
 */
export class Schedule extends StepRule {
  readonly factor: Factor;
  /** Steps done. */
  readonly time: SharedVariable;

  constructor(factor: Factor, options: StepRuleOptions = {}) {
    super(options);
    this.factor = factor;
    this.time = this.scalarBuffer('time', 0);
  }

  override computeSteps(previous: Steps): StepsAndUpdates {
    const factor = this.factor(this.time);
    const steps = [...previous].map(([parameter, step]) => [parameter, mul(step, cast(factor, step.dtype))] as const);
    return { steps: new Map(steps), updates: [[this.time, add(this.time, 1)]] };
  }
}

/** From `1 / steps` to 1 in so many steps, then 1. */
export function linearWarmup(steps: number): Factor {
  const warm = positive('linearWarmup', steps);
  return (done) => minimum(div(add(done, 1), warm), 1);
}

/** Along a half of a cosine from 1 to `end` in so many steps (Loshchilov and Hutter, 2017), then `end`, by default 0. */
export function cosineDecay(steps: number, end = 0): Factor {
  const all = positive('cosineDecay', steps);
  return (done) => {
    const way = clip(div(done, all), 0, 1);
    return add(mul(add(cos(mul(way, Math.PI)), 1), (1 - end) / 2), end);
  };
}

/** Along a line from 1 to `end` in so many steps, then `end`, by default 0. */
export function linearDecay(steps: number, end = 0): Factor {
  const all = positive('linearDecay', steps);
  return (done) => add(mul(sub(1, clip(div(done, all), 0, 1)), 1 - end), end);
}

/** Multiplied by `rate` after every so many steps. */
export function stepDecay(every: number, rate: number): Factor {
  const steps = positive('stepDecay', every);
  return (done) => pow(rate, floor(div(done, steps)));
}

/** `rate ** (steps done / every)`, a little with each step. */
export function exponentialDecay(every: number, rate: number): Factor {
  const steps = positive('exponentialDecay', every);
  return (done) => pow(rate, div(done, steps));
}

/** 1 until so many steps are done, then `sqrt(steps / steps done)` (Vaswani et al., 2017). */
export function inverseSquareRootDecay(steps: number): Factor {
  const all = positive('inverseSquareRootDecay', steps);
  return (done) => minimum(pow(div(all, add(done, 1)), 0.5), 1);
}

/** One after the other: `after(linearWarmup(100), 100, cosineDecay(900))` begins the second, at its own step 0, when so many steps are done. */
export function after(first: Factor, steps: number, second: Factor): Factor {
  const begins = positive('after', steps);
  // Each is what it ends with, or begins with, where the other is on.
  return (done) => {
    const isSecond = clip(sub(add(done, 1), begins), 0, 1);
    const later = second(clip(sub(done, begins), 0, Number.MAX_SAFE_INTEGER));
    return add(mul(first(done), sub(1, isSecond)), mul(later, isSecond));
  };
}

function positive(name: string, steps: number): number {
  if (Number.isFinite(steps) && steps > 0) return steps;
  throw new Error(`${name}: ${steps} is no number of steps; give one above 0`);
}
