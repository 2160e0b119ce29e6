import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { concatenate } from './concatenate.js';
import { cumprod } from './cumprod.js';
import { onesLike } from './fill.js';
import { flip } from './flip.js';
import { mul } from './mul.js';
import { reduce, reduction, sumDtype, type ReductionOptions } from './reduction.js';
import { slice } from './slice.js';

/**
 * Product over axes; 1 over an empty axis. Integers and bools are multiplied in int64, as NumPy does. The gradient, of any order, is
 * right where elements are 0 too.
 */
export function prod(x: Variable, options: ReductionOptions = {}): Variable {
  checkArguments('prod', ['x', x, 'variable'], ['options', options, 'options']);
  return reduce(prodOp, cast(x, sumDtype(x.dtype)), options);
}

/** The op of {@link prod}. */
export const prodOp = reduction('prod', {
  compute: (elements) => elements.reduce((product, element) => product * element, 1),
  gradient: (gradient, x, _output, axes) => productOfOthers(gradient, x, axes),
});

/** `factor` times, for each element, the product of all others along the axes: nothing is divided by an element, which may be 0. */
function productOfOthers(factor: Variable, x: Variable, axes: readonly number[]): Variable {
  const [axis, ...rest] = axes;
  if (axis === undefined) return factor;
  const ofLines = rest.length === 0 ? factor : productOfOthers(factor, prod(x, { axis, keepdims: true }), rest);
  const after = flip(productBefore(flip(x, { axis }), axis), { axis });
  return mul(ofLines, mul(productBefore(x, axis), after));
}

/** For each element, the product of those before it along an axis. */
function productBefore(x: Variable, axis: number): Variable {
  const first = onesLike(slice(x, 0, 1, { axis }));
  return cumprod(concatenate([first, slice(x, 0, -1, { axis })], axis), { axis });
}
