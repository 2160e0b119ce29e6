import { DTYPES, type DType } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { dense } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { constant } from '../graph/constant.js';
import { floatX } from '../graph/float-x.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { oneOf } from '../graph/one-of.js';
import { defineOp } from '../graph/op.js';
import { TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { toldSize } from './told-size.js';

/**
 * `output[..., j]` is 1 where `labels[...]` is j, else 0: (..., depth) of `dtype`, {@link floatX} by default. A negative label counts
 * from the end; one out of range gives a row of zeros.
 */
export function oneHot(labels: Variable, depth: number | Variable, dtype: DType = floatX()): Variable {
  oneOf('oneHot', 'dtype', dtype, DTYPES);
  checkArguments('oneHot', ['labels', labels, 'variable'], ['depth', depth, 'size']);
  const size = typeof depth === 'number' ? constant(depth, 'int64') : cast(depth, 'int64');
  const native = dtype === 'float32' || dtype === 'int64';
  const hot = applyOp(oneHotOp({ dtype: native ? dtype : 'float32' }), [cast(labels, 'int64'), size]);
  return cast(hot, dtype);
}

/** The op of {@link oneHot}. */
export const oneHotOp = defineOp({
  name: 'oneHot',
  inferTypes(inputs, { dtype }: { readonly dtype: DType }) {
    const [labels, depth] = [at(inputs, 0), at(inputs, 1)];
    if (labels.dtype !== 'int64' || depth.ndim !== 0 || depth.dtype !== 'int64') {
      throw new TensorTypeError(
        `oneHot: ${describe(labels)} and depth ${describe(depth)}: labels must be integers, and the depth an integer scalar`,
      );
    }
    return [{ dtype, shape: [...labels.shape, toldSize(depth)] }];
  },
  grad: () => [DISCONNECTED, DISCONNECTED],
  run(inputs, _node, { dtype }) {
    const labels = at(inputs, 0);
    const depth = at(at(inputs, 1).data, 0);
    const data = new Float64Array(labels.data.length * depth);
    for (const [row, label] of labels.data.entries()) {
      if (label >= -depth && label < depth) data[row * depth + (label < 0 ? label + depth : label)] = 1;
    }
    return [dense(dtype, [...labels.shape, depth], data)];
  },
});
