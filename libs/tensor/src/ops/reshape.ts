import { sizeOf } from '@longrun/serialization';

import { applyOp } from '../graph/apply.js';
import { Constant } from '../graph/constant.js';
import { inputAt, onlyGradient, type Op } from '../graph/op.js';
import { formatShape, TensorTypeError, type Dim } from '../graph/tensor-type.js';
import { describe, Variable } from '../graph/variable.js';
import { dense } from '../engine/reference/dense-array.js';
import { cast } from './cast.js';
import { dimension, elementCount } from './dimension.js';

/**
 * The elements of x, in row-major order, in another shape. Each entry is a size, an integer scalar variable, or, once at most
 * and not beside a size of 0, -1 for what is left.
 */
export function reshape(x: Variable, shape: readonly (number | Variable)[]): Variable {
  const known = shape.map((entry) => (entry instanceof Constant ? Number(entry.value.data[0]) : entry));
  const sizes = known.map((entry) => (entry instanceof Variable ? 'input' : entry));
  const inputs = known.filter((entry) => entry instanceof Variable).map((entry) => cast(entry, 'int64'));
  return applyOp(reshapeOp(sizes), [x, ...inputs]);
}

/** x with its axes from `ndim - 1` on made into one; Theano's `flatten`. `ndim` is 1 by default: a vector. */
export function flatten(x: Variable, ndim = 1): Variable {
  if (ndim === x.ndim) return x;
  if (ndim < 1 || ndim > x.ndim) {
    throw new TensorTypeError(`flatten: ${describe(x)} cannot be given ${ndim} axes; give 1 to ${x.ndim}`);
  }
  const axes = x.shape.map((_, axis) => axis);
  return reshape(x, [
    ...axes.slice(0, ndim - 1).map((axis) => dimension(x, axis)),
    elementCount(x, axes.slice(ndim - 1)),
  ]);
}

/** The op of {@link reshape}: 'input' stands for a size that is an input. */
export function reshapeOp(sizes: readonly (number | 'input')[]): Op {
  return {
    name: 'reshape',
    parameters: { shape: sizes },
    inferTypes(inputs) {
      const x = inputAt(inputs, 0);
      const shape = sizes.map((size): Dim => (size === 'input' || size === -1 ? null : size));
      const known = sizes.every((size) => size !== 'input') && !x.shape.includes(null);
      if (sizes.some((size) => typeof size === 'number' && (size < -1 || !Number.isInteger(size)))) throw mismatch(x);
      if (sizes.filter((size) => size === -1).length > 1) throw mismatch(x);
      return [
        {
          dtype: x.dtype,
          shape: known
            ? resolve(
                x,
                x.shape.map(Number),
                shape.map((dim) => dim ?? -1),
              )
            : shape,
        },
      ];
    },
    grad(node, outputGradients) {
      const x = inputAt(node.inputs, 0);
      const back = x.shape.map((_, axis) => dimension(x, axis));
      return [reshape(onlyGradient(node, outputGradients), back), ...node.inputs.slice(1).map(() => null)];
    },
    onnx(graph, inputs) {
      let next = 0;
      const parts = sizes.map((size) => {
        if (size !== 'input') return graph.int64Vector([size]);
        next += 1;
        return graph.add('Unsqueeze', [inputAt(inputs, next), graph.int64Vector([0])]);
      });
      const shape = sizes.includes('input')
        ? graph.add('Concat', parts, { axis: { int: 0 } })
        : graph.int64Vector(sizes.map(Number));
      // allowzero: a 0 is a size, not "as in the input"; ONNX refuses it beside a -1.
      const attributes = sizes.includes(-1) ? {} : { allowzero: { int: 1 } };
      return [graph.add('Reshape', [inputAt(inputs, 0), shape], attributes)];
    },
    run(inputs, node) {
      const x = inputAt(inputs, 0);
      let next = 0;
      const shape = sizes.map((size) => {
        if (size !== 'input') return size;
        next += 1;
        return inputAt(inputs, next).data[0] ?? 0;
      });
      return [dense(x.dtype, resolve(inputAt(node.inputs, 0), x.shape, shape), x.data)];
    },
  };

  /** The sizes `to` with -1 replaced; beside a 0 that would be 0/0, and is refused. */
  function resolve(x: Variable, from: readonly number[], to: readonly number[]): number[] {
    const rest = sizeOf(to.filter((size) => size !== -1));
    const total = sizeOf(from);
    const filled = to.map((size) => (size === -1 ? total / rest : size));
    if (filled.some((size) => !Number.isInteger(size) || size < 0) || sizeOf(filled) !== total) throw mismatch(x, from);
    return filled;
  }

  function mismatch(x: Variable, from?: readonly number[]): TensorTypeError {
    const size = from === undefined ? '' : ` of size ${formatShape(from)}`;
    return new TensorTypeError(
      `reshape: ${describe(x)}${size} cannot take the shape (${sizes.join(', ')}); the number of elements must stay the same, with -1 once at most`,
    );
  }
}
