import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import type { Operand } from './elementwise.js';
import { maximum } from './maximum.js';
import { minimum } from './minimum.js';

/**
 * x where it lies between `min` and `max`, else the nearer of the two, broadcasting; `max` where they are out of order, and NaN stays
 * NaN. The gradient goes to x where it lies between them or on one of them, else to the bound.
 */
export function clip(x: Variable, min: Operand, max: Operand): Variable {
  checkArguments('clip', ['x', x, 'variable'], ['min', min, 'operand'], ['max', max, 'operand']);
  return minimum(maximum(x, min), max);
}
