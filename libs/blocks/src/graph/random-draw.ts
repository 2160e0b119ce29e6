import type { SharedVariable, Variable } from '@longrun/tensor';

import { addAnnotation, Annotation } from './annotations.js';

/** Draws random numbers anew with each run: `graph.updates` has the states that it draws from. */
export class RandomDraw extends Annotation {}

/** `variable`, with which the states change that it was drawn from. */
export function withDraw(variable: Variable, updates: Iterable<readonly [SharedVariable, Variable]>): Variable {
  const annotation = new RandomDraw();
  for (const [state, next] of updates) annotation.addUpdate(state, next);
  addAnnotation(variable, annotation);
  return variable;
}
