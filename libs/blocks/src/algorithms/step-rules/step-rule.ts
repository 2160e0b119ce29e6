import type { Json } from '@longrun/serialization';
import { add, where, type SharedVariable, type Variable } from '@longrun/tensor';

import { bufferFor, hyperparameter, scalarBuffer } from '../algorithm-state.js';
import { trainedNow } from './trained-now.js';

/** Steps by parameter; a step is subtracted from its parameter. */
export type Steps = ReadonlyMap<SharedVariable, Variable>;

/** New values of a rule's own variables. */
export type RuleUpdates = readonly (readonly [SharedVariable, Variable])[];

/** What a step rule gives. */
export interface StepsAndUpdates {
  readonly steps: Steps;
  readonly updates: RuleUpdates;
}

/** What a step rule gives for one parameter. */
export interface StepAndUpdates {
  readonly step: Variable;
  /** Default none. */
  readonly updates?: RuleUpdates;
}

/** Parameters that have had equally many steps. */
export interface StepCount {
  /** Their gradients, or steps of the rule before. */
  readonly previous: Steps;
  /** How many steps they have had. */
  readonly done: SharedVariable;
  /** The number of this one, from 1. */
  readonly step: Variable;
  /** The new value of `done`. */
  readonly next: Variable;
}

/** Options of every step rule. */
export interface StepRuleOptions {
  /** Starts the names of its variables in checkpoints. Default: the class name in lower case. */
  readonly name?: string;
}

/**
 * Turns gradients into steps (Blocks: `StepRule`). One that looks at each parameter by itself overrides `computeStep`, one that looks at all of them
 * `computeSteps`.
 */
export abstract class StepRule {
  readonly name: string;

  constructor(options: StepRuleOptions = {}) {
    this.name = options.name ?? new.target.name.toLowerCase();
  }

  /** The step for one parameter, from its gradient or the step of the rule before. */
  computeStep(parameter: SharedVariable, _previousStep: Variable): StepAndUpdates {
    throw new Error(
      `${this.name}: there is no step for ${parameter.toString()}; a step rule overrides computeStep or computeSteps`,
    );
  }

  /** The steps for all parameters at once, from the gradients or the steps of the rule before. Here: each by itself. */
  computeSteps(previous: Steps): StepsAndUpdates {
    const steps = new Map<SharedVariable, Variable>();
    const updates: (readonly [SharedVariable, Variable])[] = [];
    for (const [parameter, previousStep] of previous) {
      const made = this.computeStep(parameter, previousStep);
      steps.set(parameter, made.step);
      updates.push(...(made.updates ?? []));
    }
    return { steps, updates };
  }

  /** What tells this rule from others. Saved with the algorithm, which refuses to go on with another rule. Here: the name. */
  identity(): Json {
    return this.name;
  }

  /** A setting of the rule: a shared variable, so that it can be changed while training. @throws Error where it is no number */
  protected hyperparameter(name: string, value: number): SharedVariable {
    if (typeof value !== 'number' || Number.isNaN(value))
      throw new Error(`${this.name}: ${name} is ${String(value)}; give a number`);
    return hyperparameter(`${this.name}.${name}`, value);
  }

  /** Zeros of the type of a parameter, remembered from step to step. */
  protected bufferFor(parameter: SharedVariable, name: string): SharedVariable {
    return bufferFor(parameter, `${this.name}.${name}`);
  }

  /**
   * How many steps the parameters have had, for a rule whose steps follow from that. Those that are trained at all steps are counted together; those that `GradualFreezing` freezes at
   * times by buffers `own_time`, one for all that are trained at the same steps.
   *
   * @param done the count of those that are trained at all steps
   */
  protected stepCounts(done: SharedVariable, previous: Steps): readonly StepCount[] {
    const groups = new Map<Variable | undefined, Map<SharedVariable, Variable>>([[undefined, new Map()]]);
    for (const [parameter, step] of previous) {
      const isTrained = trainedNow().get(parameter);
      const group = groups.get(isTrained) ?? new Map<SharedVariable, Variable>();
      groups.set(isTrained, group.set(parameter, step));
    }
    return [...groups].map(([isTrained, group]) => {
      const own = isTrained === undefined ? done : this.scalarBuffer('own_time', 0);
      const step = add(own, 1);
      return { previous: group, done: own, step, next: isTrained === undefined ? step : where(isTrained, step, own) };
    });
  }

  /** A number remembered from step to step. */
  protected scalarBuffer(name: string, value: number): SharedVariable {
    return scalarBuffer(`${this.name}.${name}`, value);
  }
}

/** A rate of decay. @throws Error when it is not from 0 to 1 */
export function checkedDecayRate(name: string, decayRate: number): number {
  if (decayRate >= 0 && decayRate <= 1) return decayRate;
  throw new Error(`${name}: decayRate is ${decayRate}; give a number from 0 to 1`);
}

/** How much of a mean stays with each step, as its rule calls it. @throws Error when it is not from 0 to below 1 */
export function checkedBeta(rule: string, name: string, beta: number): number {
  if (beta >= 0 && beta < 1) return beta;
  throw new Error(`${rule}: ${name} is ${beta}; give a number from 0 to below 1`);
}
