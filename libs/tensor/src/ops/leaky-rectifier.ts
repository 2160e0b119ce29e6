import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import type { Operand } from './elementwise.js';
import { gt } from './gt.js';
import { mul } from './mul.js';
import { where } from './where.js';

/** x where it is above 0, else `alpha * x`: Theano's `relu(x, alpha)`. The gradient at 0 is `alpha`, whose default is Blocks' 0.01. */
export function leakyRectifier(x: Variable, alpha: Operand = 0.01): Variable {
  checkArguments('leakyRectifier', ['x', x, 'variable'], ['alpha', alpha, 'operand']);
  return where(gt(x, 0), x, mul(x, alpha));
}
