import { at } from '../arrays/at.js';
import { broadcastTo, dense } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import {
  broadcastDims,
  commonSize,
  formatShape,
  isFloat,
  isKnown,
  promote,
  TensorTypeError,
  type Dim,
} from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { dimshuffle } from './dimshuffle.js';
import { dot } from './dot.js';
import { expandDims } from './expand-dims.js';
import { squeeze } from './squeeze.js';
import { unbroadcast } from './unbroadcast.js';

/**
 * NumPy's matrix product: of matrices (..., m, k) and (..., k, n), whose leading axes broadcast over static 1s. A vector stands for
 * a row on the left, for a column on the right, and its axis is not in the result. Floats only.
 */
export function matmul(a: Variable, b: Variable): Variable {
  checkArguments('matmul', ['a', a, 'variable'], ['b', b, 'variable']);
  if (b.ndim < 3) return dot(a, b);
  if (a.ndim === 1) return squeeze(matmul(expandDims(a, 0), b), { axis: -2 });
  const dtype = promote(a.dtype, b.dtype);
  return applyOp(matmulOp(), [cast(a, dtype), cast(b, dtype)]);
}

/** The op of {@link matmul}, of at least two axes on either side. */
export const matmulOp = defineOp({
  name: 'matmul',
  inferTypes(inputs) {
    const [a, b] = [at(inputs, 0), at(inputs, 1)];
    if (!isFloat(a.dtype)) {
      throw new TensorTypeError(`matmul: ${describe(a)} and ${describe(b)} are not floats; cast them first`);
    }
    const shape = a.ndim < 2 || b.ndim < 2 ? undefined : productShape(a.shape, b.shape);
    if (shape === undefined) {
      throw new TensorTypeError(
        `matmul: ${describe(a)} and ${describe(b)} cannot be multiplied; the last axis of the first must be the last but one of the second, and the axes before them must be equal or 1`,
      );
    }
    return [{ dtype: a.dtype, shape }];
  },
  grad(node, outputGradients) {
    const [a, b] = [at(node.inputs, 0), at(node.inputs, 1)];
    const gradient = onlyGradient(node, outputGradients);
    return [unbroadcast(matmul(gradient, swapLast(b)), a), unbroadcast(transposedProduct(a, gradient), b)];
  },
  run(inputs, node) {
    const [a, b] = [at(inputs, 0), at(inputs, 1)];
    const shape = productShape(a.shape, b.shape)?.map(Number);
    if (shape === undefined) {
      throw new TensorTypeError(
        `matmul: ${describe(at(node.inputs, 0))} of size ${formatShape(a.shape)} and ${describe(at(node.inputs, 1))} of size ${formatShape(b.shape)} cannot be multiplied`,
      );
    }
    const [rows, inner, columns] = [at(shape, -2), at(a.shape, -1), at(shape, -1)];
    const leading = shape.slice(0, -2);
    const [left, right] = [broadcastTo(a, [...leading, rows, inner]), broadcastTo(b, [...leading, inner, columns])];
    const result = dense(node.output.dtype, shape);
    for (let position = 0; position < result.data.length; position += 1) {
      const [row, column] = [Math.floor(position / columns), position % columns];
      const matrix = Math.floor(row / rows);
      let sum = 0;
      for (let k = 0; k < inner; k += 1) {
        sum += at(left.data, row * inner + k) * at(right.data, (matrix * inner + k) * columns + column);
      }
      result.data[position] = sum;
    }
    return [result];
  },
});

function productShape(a: readonly Dim[], b: readonly Dim[]): Dim[] | undefined {
  const [left, right] = [at(a, -1), at(b, -2)];
  const leading = broadcastDims([a.slice(0, -2), b.slice(0, -2)]);
  if (leading === undefined || commonSize(left, right) === undefined) return undefined;
  return [...leading, at(a, -2), at(b, -1)];
}

/** The product of a with its last axes exchanged and another array: what is transposed for it is as little as can be, as engines take their time to do it. */
function transposedProduct(a: Variable, other: Variable): Variable {
  const [rows, columns, inner] = [at(a.shape, -1), at(other.shape, -1), at(a.shape, -2)];
  const isAllSmaller = isKnown(rows) && isKnown(columns) && isKnown(inner) && columns * (inner + rows) < rows * inner;
  return isAllSmaller ? swapLast(matmul(swapLast(other), a)) : matmul(swapLast(a), other);
}

function swapLast(x: Variable): Variable {
  const axes = x.shape.map((_, axis) => axis);
  return dimshuffle(x, [...axes.slice(0, -2), x.ndim - 1, x.ndim - 2]);
}
