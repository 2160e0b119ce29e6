import type { NdArray } from '@longrun/serialization';

import { add, grad, mul, sum, type Variable } from '../src/index.js';
import { present } from './op-laws.js';

/** The gradients of a cost, then those of the sum over the inputs of (gradient * direction). */
export function firstAndSecond(
  cost: Variable,
  inputs: readonly Variable[],
  directions: readonly Variable[],
): readonly Variable[] {
  const first = grad(cost, inputs, { disconnectedInputs: 'zero' });
  const pushed = first.map((gradient, k) => sum(mul(gradient, present(directions[k])))).reduce((a, b) => add(a, b));
  return [...first, ...grad(pushed, inputs, { disconnectedInputs: 'zero' })];
}

/** The largest difference, as a part of the largest expected value, or of 1; infinite where shapes or NaN differ. */
export function distance(actual: NdArray, expected: NdArray): number {
  if (String(actual.shape) !== String(expected.shape)) return Infinity;
  let [off, size] = [0, 1];
  for (const [at, want] of Array.from(expected.data, Number).entries()) {
    const difference = Math.abs(Number(actual.data[at]) - want);
    off = Number.isNaN(difference) ? Infinity : Math.max(off, difference);
    size = Math.max(size, Math.abs(want));
  }
  return off / size;
}
