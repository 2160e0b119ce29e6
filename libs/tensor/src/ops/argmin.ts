import { checkArguments } from '../graph/arguments.js';
import { isFloat } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { argmax, type ArgmaxOptions } from './argmax.js';
import { normalizeAxis } from './axis.js';
import { cast } from './cast.js';
import { neg } from './neg.js';

/** Index of the first minimum along an axis, NaN being smaller than all numbers as in NumPy; int64. No gradient flows through it. */
export function argmin(x: Variable, options: ArgmaxOptions = {}): Variable {
  checkArguments('argmin', ['x', x, 'variable'], ['options', options, 'options']);
  const axis = normalizeAxis('argmin', x, options.axis ?? -1);
  // The least integer has no negative of its dtype, nor has any that is unsigned.
  return argmax(neg(isFloat(x.dtype) ? x : cast(x, 'float64')), { ...options, axis });
}
