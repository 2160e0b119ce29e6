import { at } from '../arrays/at.js';
import { checkArguments, isIntegerScalar } from '../graph/arguments.js';
import { Constant, constant } from '../graph/constant.js';
import { isKnown, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { normalizeAxis, type AxisOptions } from './axis.js';
import { take } from './take.js';

/**
 * What stands at one index of an axis, 0 by default: `x[i]`, without that axis. The index is a number or an integer scalar; a
 * negative one counts from the end, and one out of range is an error, when the graph is built where both are known.
 */
export function index(x: Variable, i: number | Variable, options: AxisOptions = {}): Variable {
  checkArguments('index', ['x', x, 'variable'], ['i', i, 'operand'], ['options', options, 'options']);
  const axis = normalizeAxis('index', x, options.axis ?? 0);
  if (typeof i !== 'number') {
    if (i instanceof Constant && isIntegerScalar(i)) return index(x, i.toNumber(), { axis });
    if (i.ndim === 0) return take(x, i, { axis });
    throw new TensorTypeError(
      `index: ${describe(i)} is not a scalar; take(x, indices, { axis: ${axis} }) takes several`,
    );
  }
  const dim = at(x.shape, axis);
  const size = isKnown(dim) ? dim : Infinity;
  if (!Number.isInteger(i) || i < -size || i >= size) {
    throw new TensorTypeError(
      `index: there is no element ${i} of axis ${axis} of ${describe(x)}; give an integer within it`,
    );
  }
  return take(x, constant(i, 'int64'), { axis });
}
