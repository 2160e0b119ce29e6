import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { normalizeAxes } from './axis.js';
import { cast } from './cast.js';
import { neq } from './neq.js';
import { not } from './not.js';
import type { ReductionOptions } from './reduction.js';
import { sum } from './sum.js';

/** Whether any element along axes is true, or of numbers not 0, as bools; false over an empty axis. */
export function any(x: Variable, options: ReductionOptions = {}): Variable {
  checkArguments('any', ['x', x, 'variable'], ['options', options, 'options']);
  const axis = normalizeAxes('any', x, options.axis);
  // In float32, which all engines have: a sum of ones that is rounded is not 0 either.
  return neq(sum(cast(cast(x, 'bool'), 'float32'), { ...options, axis }), 0);
}

/** Whether all elements along axes are true, or of numbers not 0, as bools; true over an empty axis. */
export function all(x: Variable, options: ReductionOptions = {}): Variable {
  checkArguments('all', ['x', x, 'variable'], ['options', options, 'options']);
  const axis = normalizeAxes('all', x, options.axis);
  return not(any(not(cast(x, 'bool')), { ...options, axis }));
}
