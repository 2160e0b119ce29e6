import { DTYPES, ndarray, type DType } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { dense, wrapInteger } from '../arrays/dense-array.js';
import { typedArray } from '../arrays/typed-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { Constant } from '../graph/constant.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { oneOf } from '../graph/one-of.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import { floatFor, isFloat } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';

/**
 * x in another dtype; x itself when it has that dtype already. To integers, values are truncated, those out of range being
 * undefined; to bool, everything but 0 is true. Gradients flow between floats only.
 */
export function cast(x: Variable, dtype: DType): Variable {
  checkArguments('cast', ['x', x, 'variable']);
  if (x.dtype === dtype) return x;
  oneOf('cast', 'dtype', dtype, DTYPES);
  if (x instanceof Constant && x.ndim === 0) return new Constant(ndarray(dtype, [], typedArray(dtype, [x.toNumber()])));
  return applyOp(castOp({ dtype }), [x]);
}

/** x itself when it is a float, else x in the float dtype that stands in for its own. */
export function toFloat(x: Variable): Variable {
  return isFloat(x.dtype) ? x : cast(x, floatFor(x.dtype));
}

/** The op of {@link cast}. */
export const castOp = defineOp({
  name: 'cast',
  inferTypes: (inputs, { dtype }: { readonly dtype: DType }) => [{ dtype, shape: at(inputs, 0).shape }],
  grad(node, outputGradients, { dtype }) {
    const x = at(node.inputs, 0);
    return [isFloat(x.dtype) && isFloat(dtype) ? cast(onlyGradient(node, outputGradients), x.dtype) : DISCONNECTED];
  },
  run(inputs, _node, { dtype }) {
    const x = at(inputs, 0);
    return [dense(dtype, x.shape, wrapInteger(dtype, x.data))];
  },
});
