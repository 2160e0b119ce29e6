import { at } from '../arrays/at.js';
import { broadcastTo } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { constant } from '../graph/constant.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import { broadcastDims, isKnown, shapeFits, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { unbroadcast } from './unbroadcast.js';

/** `value` broadcast to the shape of `like`, whose elements are not looked at. */
export function fill(like: Variable, value: Variable): Variable {
  checkArguments('fill', ['like', like, 'variable'], ['value', value, 'variable']);
  return value.ndim === like.ndim && isSameStatic(like, value) ? value : applyOp(fillOp(), [like, value]);
}

/** Zeros with the shape and dtype of x. */
export function zerosLike(x: Variable): Variable {
  checkArguments('zerosLike', ['x', x, 'variable']);
  return fill(x, constant(0, x.dtype));
}

/** Ones with the shape and dtype of x. */
export function onesLike(x: Variable): Variable {
  checkArguments('onesLike', ['x', x, 'variable']);
  return fill(x, constant(1, x.dtype));
}

/** The op of {@link fill}. */
export const fillOp = defineOp({
  name: 'fill',
  inferTypes(inputs) {
    const [like, value] = [at(inputs, 0), at(inputs, 1)];
    const shape = broadcastDims([like.shape, value.shape]);
    if (shape === undefined || !shapeFits(shape, like.shape)) {
      throw new TensorTypeError(`fill: ${describe(value)} does not broadcast to the shape of ${describe(like)}`);
    }
    return [{ dtype: value.dtype, shape: like.shape }];
  },
  grad: (node, outputGradients) => [DISCONNECTED, unbroadcast(onlyGradient(node, outputGradients), at(node.inputs, 1))],
  run: (inputs) => [broadcastTo(at(inputs, 1), at(inputs, 0).shape)],
});

function isSameStatic(like: Variable, value: Variable): boolean {
  return like.shape.every((dim, axis) => isKnown(dim) && dim === value.shape[axis]);
}
