import { applyOp } from '../graph/apply.js';
import { inputAt, onlyGradient, type Op } from '../graph/op.js';
import { TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { dense, offsets, stridesOf } from '../engine/reference/dense-array.js';
import { normalizeAxis } from './axis.js';

/**
 * Theano's dimshuffle: the axes of x in a new order, `'x'` standing for a new axis of size 1. Axes left out must have the
 * static size 1 and are dropped: `dimshuffle(b, ['x', 0])` makes a row of a vector.
 */
export function dimshuffle(x: Variable, order: readonly (number | 'x')[]): Variable {
  const axes = order.map((axis) => (axis === 'x' ? axis : normalizeAxis('dimshuffle', x, axis)));
  if (axes.length === x.ndim && axes.every((axis, at) => axis === at)) return x;
  return applyOp(dimshuffleOp(axes), [x]);
}

/** The axes of x in another order; reversed when none is given. */
export function transpose(x: Variable, axes?: readonly number[]): Variable {
  return dimshuffle(x, axes ?? x.shape.map((_, axis) => x.ndim - 1 - axis));
}

/** The op of {@link dimshuffle}. */
export function dimshuffleOp(order: readonly (number | 'x')[]): Op {
  const kept = order.filter((axis) => axis !== 'x');
  const inserted = order.flatMap((axis, at) => (axis === 'x' ? [at] : []));
  return {
    name: 'dimshuffle',
    parameters: { order },
    inferTypes(inputs) {
      const x = inputAt(inputs, 0);
      const lost = x.shape.filter((dim, axis) => !kept.includes(axis) && dim !== 1);
      if (lost.length > 0 || new Set(kept).size < kept.length) {
        throw new TensorTypeError(
          `dimshuffle: ${describe(x)} cannot be arranged as [${order.join(', ')}]; each axis may appear once, and only axes of static size 1 may be left out`,
        );
      }
      return [{ dtype: x.dtype, shape: order.map((axis) => (axis === 'x' ? 1 : (x.shape[axis] ?? null))) }];
    },
    grad(node, outputGradients) {
      const x = inputAt(node.inputs, 0);
      const back = x.shape.map((_, axis): number | 'x' => {
        const at = order.indexOf(axis);
        return at < 0 ? 'x' : at;
      });
      return [dimshuffle(onlyGradient(node, outputGradients), back)];
    },
    onnx(graph, inputs, node) {
      const rank = inputAt(node.inputs, 0).ndim;
      const dropped = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !kept.includes(axis));
      let result = inputAt(inputs, 0);
      if (dropped.length > 0) result = graph.add('Squeeze', [result, graph.int64Vector(dropped)]);
      const ranks = kept.toSorted((a, b) => a - b);
      const permutation = kept.map((axis) => ranks.indexOf(axis));
      if (permutation.some((axis, at) => axis !== at)) {
        result = graph.add('Transpose', [result], { perm: { ints: permutation } });
      }
      return [inserted.length === 0 ? result : graph.add('Unsqueeze', [result, graph.int64Vector(inserted)])];
    },
    run(inputs) {
      const x = inputAt(inputs, 0);
      const own = stridesOf(x.shape);
      const shape = order.map((axis) => (axis === 'x' ? 1 : (x.shape[axis] ?? 0)));
      const reads = offsets(
        shape,
        order.map((axis) => (axis === 'x' ? 0 : (own[axis] ?? 0))),
      );
      return [
        dense(
          x.dtype,
          shape,
          Float64Array.from(reads, (offset) => x.data[offset] ?? Number.NaN),
        ),
      ];
    },
  };
}
