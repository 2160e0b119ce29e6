import { applyOp } from '../graph/apply.js';
import { constant } from '../graph/constant.js';
import { inputAt, onlyGradient, type Op } from '../graph/op.js';
import { broadcastDims, shapeFits, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { broadcastTo } from '../engine/reference/dense-array.js';
import { unbroadcast } from './unbroadcast.js';

/** `value` broadcast to the shape of `like`, whose elements are not looked at. */
export function fill(like: Variable, value: Variable): Variable {
  return value.ndim === like.ndim && isSameStatic(like, value) ? value : applyOp(fillOp, [like, value]);
}

/** Zeros with the shape and dtype of x. */
export function zerosLike(x: Variable): Variable {
  return fill(x, constant(0, x.dtype));
}

/** Ones with the shape and dtype of x. */
export function onesLike(x: Variable): Variable {
  return fill(x, constant(1, x.dtype));
}

/** The op of {@link fill}. */
export const fillOp: Op = {
  name: 'fill',
  parameters: {},
  inferTypes(inputs) {
    const like = inputAt(inputs, 0);
    const value = inputAt(inputs, 1);
    const shape = broadcastDims([like.shape, value.shape]);
    if (shape === undefined || !shapeFits(shape, like.shape)) {
      throw new TensorTypeError(`fill: ${describe(value)} does not broadcast to the shape of ${describe(like)}`);
    }
    return [{ dtype: value.dtype, shape: like.shape }];
  },
  grad: (node, outputGradients) => [null, unbroadcast(onlyGradient(node, outputGradients), inputAt(node.inputs, 1))],
  onnx: (graph, inputs) => [graph.add('Expand', [inputAt(inputs, 1), graph.add('Shape', [inputAt(inputs, 0)])])],
  run: (inputs) => [broadcastTo(inputAt(inputs, 1), inputAt(inputs, 0).shape)],
};

function isSameStatic(like: Variable, value: Variable): boolean {
  return like.shape.every((dim, axis) => dim !== null && dim === value.shape[axis]);
}
