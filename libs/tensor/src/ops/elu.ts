import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import type { Operand } from './elementwise.js';
import { expm1 } from './expm1.js';
import { gt } from './gt.js';
import { minimum } from './minimum.js';
import { mul } from './mul.js';
import { where } from './where.js';

/** x where it is above 0, else `alpha * (e^x - 1)`; `alpha` is 1 by default. */
export function elu(x: Variable, alpha: Operand = 1): Variable {
  checkArguments('elu', ['x', x, 'variable'], ['alpha', alpha, 'operand']);
  // Of the minimum, so that large x do not overflow where they are not chosen, and make a NaN of the gradient.
  return where(gt(x, 0), x, mul(expm1(minimum(x, 0)), alpha));
}
