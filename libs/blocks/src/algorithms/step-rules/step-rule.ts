import type { Json } from '@longrun/serialization';
import type { SharedVariable, Variable } from '@longrun/tensor';

import { bufferFor, hyperparameter, scalarBuffer } from '../algorithm-state.js';

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
