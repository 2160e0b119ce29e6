import type { Json } from '@longrun/serialization';
import type { SharedVariable, Variable } from '@longrun/tensor';

import { bufferFor, hyperparameter, scalarBuffer } from './algorithm-state.js';

/** Steps by parameter; a step is subtracted from its parameter. */
export type Steps = ReadonlyMap<SharedVariable, Variable>;

/** What a step rule gives. */
export interface StepsAndUpdates {
  readonly steps: Steps;
  /** New values of the rule's own variables. */
  readonly updates: readonly (readonly [SharedVariable, Variable])[];
}

/** Options of every step rule. */
export interface StepRuleOptions {
  /** Starts the names of its variables in checkpoints. Default: the class name in lower case. */
  readonly name?: string;
}

/** Turns gradients into steps (Blocks: `StepRule`). */
export abstract class StepRule {
  readonly name: string;

  constructor(options: StepRuleOptions = {}) {
    this.name = options.name ?? new.target.name.toLowerCase();
  }

  /** The steps for all parameters at once, from the gradients or the steps of the rule before. */
  abstract computeSteps(previous: Steps): StepsAndUpdates;

  /** What tells this rule from others. Saved with the algorithm, which refuses to go on with another rule. Here: the name. */
  identity(): Json {
    return this.name;
  }

  /** A setting of the rule: a shared variable, so that it can be changed while training. */
  protected hyperparameter(name: string, value: number): SharedVariable {
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
