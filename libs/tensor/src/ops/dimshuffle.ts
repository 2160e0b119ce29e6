import { at } from '../arrays/at.js';
import { gather, offsets, stridesOf } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments, shown } from '../graph/arguments.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import { TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { normalizeAxis } from './axis.js';

/**
 * Theano's dimshuffle: the axes of x in a new order, `'x'` standing for a new axis of size 1. Axes left out must have the
 * static size 1 and are dropped: `dimshuffle(b, ['x', 0])` makes a row of a vector.
 */
export function dimshuffle(x: Variable, order: readonly (number | 'x')[]): Variable {
  checkArguments('dimshuffle', ['x', x, 'variable'], ['order', order, 'order']);
  const axes = order.map((axis) => (axis === 'x' ? axis : normalizeAxis('dimshuffle', x, axis)));
  if (axes.length === x.ndim && axes.every((axis, position) => axis === position)) return x;
  return applyOp(dimshuffleOp({ order: axes }), [x]);
}

/** The axes of x in another order; reversed when none is given. */
export function transpose(x: Variable, axes?: readonly number[]): Variable {
  checkArguments('transpose', ['x', x, 'variable'], ['axes', axes ?? [], 'integers']);
  const order = (axes ?? x.shape.map((_, axis) => -1 - axis)).map((axis) => normalizeAxis('transpose', x, axis));
  if (order.length === x.ndim && new Set(order).size === x.ndim) return dimshuffle(x, order);
  throw new TensorTypeError(
    `transpose: ${describe(x)} cannot have its axes in the order ${shown(axes)}; name each axis once`,
  );
}

/** The op of {@link dimshuffle}. */
export const dimshuffleOp = defineOp({
  name: 'dimshuffle',
  inferTypes(inputs, { order }: { readonly order: readonly (number | 'x')[] }) {
    const x = at(inputs, 0);
    const kept = order.filter((axis) => axis !== 'x');
    const lost = x.shape.filter((dim, axis) => !kept.includes(axis) && dim !== 1);
    if (lost.length > 0 || new Set(kept).size < kept.length) {
      throw new TensorTypeError(
        `dimshuffle: ${describe(x)} cannot be arranged as [${order.join(', ')}]; each axis may appear once, and only axes of static size 1 may be left out`,
      );
    }
    return [{ dtype: x.dtype, shape: order.map((axis) => (axis === 'x' ? 1 : at(x.shape, axis))) }];
  },
  grad(node, outputGradients, { order }) {
    const x = at(node.inputs, 0);
    const back = x.shape.map((_, axis): number | 'x' => {
      const position = order.indexOf(axis);
      return position < 0 ? 'x' : position;
    });
    return [dimshuffle(onlyGradient(node, outputGradients), back)];
  },
  run(inputs, _node, { order }) {
    const x = at(inputs, 0);
    const own = stridesOf(x.shape);
    const shape = order.map((axis) => (axis === 'x' ? 1 : at(x.shape, axis)));
    const strides = order.map((axis) => (axis === 'x' ? 0 : at(own, axis)));
    return [gather(x, shape, offsets(shape, strides))];
  },
});
