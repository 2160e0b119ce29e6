import type { Json } from '@longrun/serialization';
import type { SharedVariable, Variable } from '@longrun/tensor';

import { StepRule, type StepRuleOptions, type Steps, type StepsAndUpdates } from './step-rule.js';

/** Step rules one after the other, each from the steps of the one before. */
export class CompositeRule extends StepRule {
  readonly components: readonly StepRule[];

  constructor(components: readonly StepRule[], options: StepRuleOptions = {}) {
    super(options);
    this.components = [...components];
  }

  override computeSteps(previous: Steps): StepsAndUpdates {
    const updates: (readonly [SharedVariable, Variable])[] = [];
    let steps = previous;
    for (const component of this.components) {
      const result = component.computeSteps(steps);
      steps = result.steps;
      updates.push(...result.updates);
    }
    return { steps, updates };
  }

  override identity(): Json {
    return this.components.map((component) => component.identity());
  }
}
