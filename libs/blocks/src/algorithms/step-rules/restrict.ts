import type { Json } from '@longrun/serialization';
import type { SharedVariable } from '@longrun/tensor';

import { StepRule, type StepRuleOptions, type Steps, type StepsAndUpdates } from './step-rule.js';

/** A rule for some parameters; the steps of the others are as they were. */
export class Restrict extends StepRule {
  readonly stepRule: StepRule;
  readonly variables: ReadonlySet<SharedVariable>;

  /** @throws Error when there are no variables */
  constructor(stepRule: StepRule, variables: Iterable<SharedVariable>, options: StepRuleOptions = {}) {
    super(options);
    this.stepRule = stepRule;
    this.variables = new Set(variables);
    if (this.variables.size === 0) throw new Error(`${this.name}: there are no variables; give some that are trained`);
  }

  /** @throws Error when one of the variables has no step */
  override computeSteps(previous: Steps): StepsAndUpdates {
    const stranger = [...this.variables].find((variable) => !previous.has(variable));
    if (stranger !== undefined) {
      throw new Error(`${this.name}: ${stranger.toString()} is not trained; leave it out, or train it`);
    }
    const own = new Map([...previous].filter(([parameter]) => this.variables.has(parameter)));
    const { steps, updates } = this.stepRule.computeSteps(own);
    return { steps: new Map([...previous, ...steps]), updates };
  }

  override identity(): Json {
    return { restrict: this.stepRule.identity() };
  }
}
