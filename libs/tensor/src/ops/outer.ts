import { checkArguments } from '../graph/arguments.js';
import { TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { expandDims } from './expand-dims.js';
import { mul } from './mul.js';

/** `output[i, j] = a[i] * b[j]` of two vectors. */
export function outer(a: Variable, b: Variable): Variable {
  checkArguments('outer', ['a', a, 'variable'], ['b', b, 'variable']);
  if (a.ndim !== 1 || b.ndim !== 1) {
    throw new TensorTypeError(`outer: ${describe(a)} and ${describe(b)} must be vectors; flatten them first`);
  }
  return mul(expandDims(a, 1), b);
}
