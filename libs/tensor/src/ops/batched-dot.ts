import { at } from '../arrays/at.js';
import { checkArguments } from '../graph/arguments.js';
import { TensorTypeError, commonSize } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { expandDims } from './expand-dims.js';
import { matmul } from './matmul.js';
import { squeeze } from './squeeze.js';

/**
 * Theano's `batched_dot`: {@link dot} of each `a[i]` and `b[i]`, for a (batch, ..., k) and b (batch, k) or (batch, k, n). The batches
 * must be equal and do not broadcast. Floats only.
 */
export function batchedDot(a: Variable, b: Variable): Variable {
  checkArguments('batchedDot', ['a', a, 'variable'], ['b', b, 'variable']);
  if (a.ndim < 2 || b.ndim < 2 || b.ndim > 3) {
    throw new TensorTypeError(
      `batchedDot: ${describe(a)} and ${describe(b)} cannot be multiplied; the first needs a batch and one axis or more, the second a batch and one axis or two`,
    );
  }
  const [first, second] = [at(a.shape, 0), at(b.shape, 0)];
  if (commonSize(first, second) === undefined) {
    throw new TensorTypeError(
      `batchedDot: ${describe(a)} and ${describe(b)} have batches of ${first} and ${second}; these, the first axes, must be equal`,
    );
  }
  if (b.ndim === 2) return squeeze(batchedDot(a, expandDims(b, -1)), { axis: -1 });
  if (a.ndim === 2) return squeeze(matmul(expandDims(a, 1), b), { axis: 1 });
  let matrices = b;
  while (matrices.ndim < a.ndim) matrices = expandDims(matrices, 1);
  return matmul(a, matrices);
}
