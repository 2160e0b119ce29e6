import { checkArguments } from '../graph/arguments.js';
import { isFloat } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { eq } from './eq.js';
import { reduce, reduction, type ReductionOptions } from './reduction.js';
import { where } from './where.js';

/** Maximum over axes; NaN where an element is, -Infinity over an empty axis. The gradient goes to every element that equals the maximum, as in Theano. */
export function max(x: Variable, options: ReductionOptions = {}): Variable {
  checkArguments('max', ['x', x, 'variable'], ['options', options, 'options']);
  const native = isFloat(x.dtype) || x.dtype === 'int32' || x.dtype === 'int64';
  return native ? reduce(maxOp, x, options) : cast(reduce(maxOp, cast(x, 'int64'), options), x.dtype);
}

/** The op of {@link max}. */
export const maxOp = reduction('max', {
  compute: (elements) => elements.reduce((sofar, element) => Math.max(sofar, element), -Infinity),
  gradient: (gradient, x, output) => where(eq(x, output), gradient, 0),
});
