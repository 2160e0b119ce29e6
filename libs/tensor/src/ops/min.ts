import { checkArguments } from '../graph/arguments.js';
import { isFloat } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { eq } from './eq.js';
import { reduce, reduction, type ReductionOptions } from './reduction.js';
import { where } from './where.js';

/** Minimum over axes; NaN where an element is, Infinity over an empty axis. The gradient goes to every element that equals the minimum, as in Theano. */
export function min(x: Variable, options: ReductionOptions = {}): Variable {
  checkArguments('min', ['x', x, 'variable'], ['options', options, 'options']);
  const native = isFloat(x.dtype) || x.dtype === 'int32' || x.dtype === 'int64';
  return native ? reduce(minOp, x, options) : cast(reduce(minOp, cast(x, 'int64'), options), x.dtype);
}

/** The op of {@link min}. */
export const minOp = reduction('min', {
  compute: (elements) => elements.reduce((sofar, element) => Math.min(sofar, element), Infinity),
  gradient: (gradient, x, output) => where(eq(x, output), gradient, 0),
});
