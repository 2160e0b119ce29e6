import type { Variable } from './variable.js';

/** The cost does not depend on it: its gradient is zero, exactly and whatever the values. */
export const DISCONNECTED: unique symbol = Symbol('disconnected');

/** Says that the gradient with respect to an input exists but that this op cannot give it. */
export class Undifferentiable {
  /** Why not, as the end of a sentence: `its gradient is not written yet`. */
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** What an op is given for each of its outputs: the gradient of the cost, or that the cost does not depend on it. */
export type OutputGradient = Variable | typeof DISCONNECTED;

/** What an op answers for each of its inputs: the gradient, that none flows, or that it cannot say. */
export type InputGradient = Variable | typeof DISCONNECTED | Undifferentiable;

/** The answer of an op that has no gradient for an input: `grad` throws NotDifferentiable if a wanted variable lies behind it. */
export function notDifferentiable(reason: string): Undifferentiable {
  return new Undifferentiable(reason);
}
