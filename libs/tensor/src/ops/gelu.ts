import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { add } from './add.js';
import { erf } from './erf.js';
import { mul } from './mul.js';

/** `x` times the probability that a standard normal variable is below it, by {@link erf}: the exact form (Hendrycks and Gimpel 2016). */
export function gelu(x: Variable): Variable {
  checkArguments('gelu', ['x', x, 'variable']);
  return mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1));
}
