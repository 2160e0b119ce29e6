import { sizeOf } from '@longrun/serialization';

import { applyOp } from '../graph/apply.js';
import { inputAt, onlyGradient, type Op } from '../graph/op.js';
import { formatShape, promote, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { dense } from '../engine/reference/dense-array.js';
import { cast } from './cast.js';
import { dimension, elementCount } from './dimension.js';
import { dimshuffle, transpose } from './dimshuffle.js';
import { mul } from './mul.js';
import { reshape } from './reshape.js';

/** Matrix product: of the last axis of `a` with the first axis of `b`, which is a vector or a matrix. Floats only. */
export function dot(a: Variable, b: Variable): Variable {
  const dtype = promote(a.dtype, b.dtype);
  return applyOp(dotOp, [cast(a, dtype), cast(b, dtype)]);
}

/** The op of {@link dot}. */
export const dotOp: Op = {
  name: 'dot',
  parameters: {},
  inferTypes(inputs) {
    const a = inputAt(inputs, 0);
    const b = inputAt(inputs, 1);
    if (a.dtype !== 'float32' && a.dtype !== 'float64') {
      throw new TensorTypeError(`dot: ${describe(a)} and ${describe(b)} are not floats; cast them first`);
    }
    if (a.ndim === 0 || b.ndim === 0 || b.ndim > 2) {
      throw new TensorTypeError(
        `dot: ${describe(a)} and ${describe(b)} cannot be multiplied; the first needs an axis, the second one or two`,
      );
    }
    const inner = a.shape.at(-1) ?? null;
    const outer = b.shape[0] ?? null;
    if (inner !== null && outer !== null && inner !== outer) {
      throw new TensorTypeError(
        `dot: the last axis of ${describe(a)} has size ${inner} but the first axis of ${describe(b)} has size ${outer}; they must be equal`,
      );
    }
    return [{ dtype: a.dtype, shape: [...a.shape.slice(0, -1), ...b.shape.slice(1)] }];
  },
  grad(node, outputGradients) {
    const a = inputAt(node.inputs, 0);
    const b = inputAt(node.inputs, 1);
    const gradient = onlyGradient(node, outputGradients);
    // Outer products where b is a vector: the contracted axis is the only one it has.
    const forA =
      b.ndim === 2
        ? dot(gradient, transpose(b))
        : mul(dimshuffle(gradient, [...gradient.shape.map((_, axis) => axis), 'x']), b);
    if (a.ndim === 1) {
      const forB = b.ndim === 2 ? mul(dimshuffle(a, [0, 'x']), gradient) : mul(a, gradient);
      return [forA, forB];
    }
    if (a.ndim === 2) return [forA, dot(transpose(a), gradient)];
    const count = elementCount(a, a.shape.map((_, axis) => axis).slice(0, -1));
    const rows = reshape(a, [count, dimension(a, -1)]);
    const gradientRows = reshape(gradient, b.ndim === 1 ? [count] : [count, dimension(b, 1)]);
    return [forA, dot(transpose(rows), gradientRows)];
  },
  onnx(graph, inputs, node) {
    const [a, b] = [inputAt(inputs, 0), inputAt(inputs, 1)];
    if (inputAt(node.inputs, 1).ndim === 2) return [graph.add('MatMul', [a, b])];
    // A vector goes in as a column: ONNX Runtime's product of an empty transposed matrix and a vector fails.
    const last = graph.int64Vector([-1]);
    return [graph.add('Squeeze', [graph.add('MatMul', [a, graph.add('Unsqueeze', [b, last])]), last])];
  },
  run(inputs, node) {
    const a = inputAt(inputs, 0);
    const b = inputAt(inputs, 1);
    const inner = a.shape.at(-1) ?? 0;
    if (inner !== b.shape[0]) {
      throw new TensorTypeError(
        `dot: ${describe(inputAt(node.inputs, 0))} of size ${formatShape(a.shape)} and ${describe(inputAt(node.inputs, 1))} of size ${formatShape(b.shape)} cannot be multiplied; the last axis of the first must be the first of the second`,
      );
    }
    const columns = b.shape[1] ?? 1;
    const rows = sizeOf(a.shape.slice(0, -1));
    const data = new Float64Array(rows * columns);
    for (let row = 0; row < rows; row += 1) {
      for (let k = 0; k < inner; k += 1) {
        const factor = a.data[row * inner + k] ?? Number.NaN;
        for (let column = 0; column < columns; column += 1) {
          const at = row * columns + column;
          data[at] = (data[at] ?? 0) + factor * (b.data[k * columns + column] ?? Number.NaN);
        }
      }
    }
    return [dense(node.output.dtype, [...a.shape.slice(0, -1), ...b.shape.slice(1)], data)];
  },
};
