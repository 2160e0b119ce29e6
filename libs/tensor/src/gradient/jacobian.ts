import { at } from '../arrays/at.js';
import { checkArguments } from '../graph/arguments.js';
import { isFloat, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { arange } from '../ops/arange.js';
import { cast } from '../ops/cast.js';
import { dimension, dimensions } from '../ops/dimension.js';
import { eq } from '../ops/eq.js';
import { reshape } from '../ops/reshape.js';
import { scan } from '../ops/scan.js';
import { grad, type GradOptions } from './grad.js';

/**
 * The Jacobian of `expression` with respect to each variable of `wrt`: the gradient of each of its elements, of the shape of the
 * expression followed by that of the variable. A `scan` over the elements computes one after the other, so that what is held is the
 * result and one gradient.
 *
 * @throws what {@link grad} throws.
 */
export function jacobian(
  expression: Variable,
  wrt: readonly Variable[],
  options: Pick<GradOptions, 'considerConstant' | 'disconnectedInputs'> = {},
): Variable[] {
  checkArguments(
    'jacobian',
    ['expression', expression, 'variable'],
    ['wrt', wrt, 'variables'],
    ['options', options, 'options'],
  );
  if (!isFloat(expression.dtype)) {
    throw new TensorTypeError(`jacobian: ${describe(expression)} is not a float; only floats have gradients`);
  }
  if (expression.ndim === 0) return grad(expression, wrt, options);
  const elements = reshape(expression, [-1]);
  const positions = arange(0, dimension(elements, 0));
  // An element is picked by where the gradient starts: an index would be out of range in an empty expression.
  const rows = scan(
    (position) => {
      const start = cast(eq(positions, position), expression.dtype);
      return grad(null, wrt, { ...options, knownGrads: new Map([[elements, start]]) });
    },
    { sequences: [positions] },
  );
  return wrt.map((variable, position) =>
    reshape(at(rows, position), [...dimensions(expression), ...dimensions(variable)]),
  );
}
