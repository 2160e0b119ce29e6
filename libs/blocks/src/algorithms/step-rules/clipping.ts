import { cast, div, gt, l2Norm, mul, norm, sub, where, type SharedVariable, type Variable } from '@longrun/tensor';

import { StepRule, type StepAndUpdates, type StepRuleOptions, type Steps, type StepsAndUpdates } from './step-rule.js';

/** Options of {@link StepClipping}. */
export interface StepClippingOptions extends StepRuleOptions {
  /** The largest L2 norm of all steps together. Default: none, and nothing is clipped. */
  readonly threshold?: number;
}

/** Makes all steps shorter by one factor where their L2 norm, taken together, is above the threshold (Pascanu et al., 2013). */
export class StepClipping extends StepRule {
  readonly threshold: SharedVariable | undefined;

  constructor(options: StepClippingOptions = {}) {
    super(options);
    if (options.threshold === undefined) return;
    requirePositive(this.name, options.threshold);
    this.threshold = this.hyperparameter('threshold', options.threshold);
  }

  override computeSteps(previous: Steps): StepsAndUpdates {
    if (this.threshold === undefined || previous.size === 0) return { steps: previous, updates: [] };
    const total = cast(l2Norm([...previous.values()]), 'float64');
    const factor = where(gt(total, this.threshold), div(this.threshold, total), 1);
    const steps = [...previous].map(([parameter, step]) => [parameter, mul(step, cast(factor, step.dtype))] as const);
    return { steps: new Map(steps), updates: [] };
  }
}

/** Options of {@link VariableClipping}. */
export interface VariableClippingOptions extends StepRuleOptions {
  /** The largest L2 norm. */
  readonly threshold: number;
  /** The axes along which norms are taken: 0 for each column of a weight matrix. Default: all, of the whole parameter. */
  readonly axis?: number | readonly number[];
}

/**
 * Keeps the norms of parameters below a threshold: the step is changed so that what comes of it is a parameter that was made shorter to that
 * norm (Srivastava et al., 2014).
 */
export class VariableClipping extends StepRule {
  readonly threshold: SharedVariable;
  readonly axis: readonly number[] | undefined;

  constructor(options: VariableClippingOptions) {
    super(options);
    requirePositive(this.name, options.threshold);
    this.threshold = this.hyperparameter('threshold', options.threshold);
    this.axis = typeof options.axis === 'number' ? [options.axis] : options.axis;
    if (new Set(this.axis).size === (this.axis?.length ?? 0)) return;
    throw new Error(`${this.name}: axis is [${this.axis?.join(', ') ?? ''}]; give each axis once`);
  }

  override computeStep(parameter: SharedVariable, previousStep: Variable): StepAndUpdates {
    const beyond = this.axis?.find((axis) => axis >= parameter.ndim || axis < -parameter.ndim);
    if (beyond !== undefined) {
      throw new Error(
        `${this.name}: ${parameter.toString()} has ${parameter.ndim} axes, none of which is ${beyond}; restrict the rule to others`,
      );
    }
    const next = sub(parameter, previousStep);
    const length = norm(next, { ...(this.axis === undefined ? {} : { axis: this.axis }), keepdims: true });
    const threshold = cast(this.threshold, parameter.dtype);
    const shortened = sub(parameter, mul(next, div(threshold, length)));
    return { step: where(gt(length, threshold), shortened, previousStep) };
  }
}

function requirePositive(name: string, threshold: number): void {
  if (!(threshold > 0)) throw new Error(`${name}: the threshold is ${threshold}; give a number above 0`);
}
