import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { isinf } from './isinf.js';
import { isnan } from './isnan.js';
import { not } from './not.js';
import { or } from './or.js';

/** True where x is neither NaN nor infinite. */
export function isfinite(x: Variable): Variable {
  checkArguments('isfinite', ['x', x, 'variable']);
  return not(or(isnan(x), isinf(x)));
}
