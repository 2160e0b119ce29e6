import { at } from '../arrays/at.js';
import { dense, offsets, stridesOf } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';
import { dimension, sumOfSizes } from './dimension.js';
import { slice } from './slice.js';

/** Zeros with the shape of `like`, holding `part` from `start` on along one axis: the gradient of `slice`. */
export function unslice(part: Variable, like: Variable, start: Variable, axis: number): Variable {
  return applyOp(unsliceOp({ axis }), [part, like, start]);
}

/** The op of {@link unslice}. */
export const unsliceOp = defineOp({
  name: 'unslice',
  inferTypes: (inputs, _parameters: { readonly axis: number }) => [
    { dtype: at(inputs, 0).dtype, shape: at(inputs, 1).shape },
  ],
  grad(node, outputGradients, { axis }) {
    const [part, start] = [at(node.inputs, 0), at(node.inputs, 2)];
    const stop = sumOfSizes(start, dimension(part, axis));
    return [slice(onlyGradient(node, outputGradients), start, stop, { axis }), DISCONNECTED, DISCONNECTED];
  },
  run(inputs, _node, { axis }) {
    const [part, like] = [at(inputs, 0), at(inputs, 1)];
    const strides = stridesOf(like.shape);
    const result = dense(part.dtype, like.shape);
    const writes = offsets(part.shape, strides, at(at(inputs, 2).data, 0) * at(strides, axis));
    for (const [position, offset] of writes.entries()) result.data[offset] = at(part.data, position);
    return [result];
  },
});
