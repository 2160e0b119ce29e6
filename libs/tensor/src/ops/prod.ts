import type { Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { div } from './div.js';
import { eq } from './eq.js';
import { mul } from './mul.js';
import { reduce, reduction, sumDtype, type ReductionOptions } from './reduction.js';
import { sum } from './sum.js';
import { where } from './where.js';

/**
 * Product over axes; 1 over an empty axis. Integers and bools are multiplied in int64, as NumPy does. The gradient is right where
 * elements are 0 too; second derivatives with respect to the others are not there, but taken as 0.
 */
export function prod(x: Variable, options: ReductionOptions = {}): Variable {
  return reduce(prodOp, cast(x, sumDtype(x.dtype)), options);
}

/** The op of {@link prod}. */
export const prodOp = reduction('prod', {
  compute: (elements) => elements.reduce((product, element) => product * element, 1),
  gradient: (gradient, x, _output, axes) => mul(gradient, productOfOthers(x, axes)),
});

/** For each element, the product of all others: what is left without the zeros, where there is no other zero. */
function productOfOthers(x: Variable, axes: readonly number[]): Variable {
  const over = { axis: axes, keepdims: true };
  const isZero = eq(x, 0);
  const nonzero = where(isZero, 1, x);
  const [zeros, product] = [sum(cast(isZero, x.dtype), over), prod(nonzero, over)];
  return where(isZero, where(eq(zeros, 1), product, 0), where(eq(zeros, 0), div(product, nonzero), 0));
}
