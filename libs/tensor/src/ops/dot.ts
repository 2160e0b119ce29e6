import { sizeOf } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { dense } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import { commonSize, formatShape, isFloat, promote, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { dimension, elementCount } from './dimension.js';
import { dimshuffle, transpose } from './dimshuffle.js';
import { mul } from './mul.js';
import { reshape } from './reshape.js';

/** Matrix product: of the last axis of `a` with the first axis of `b`, which is a vector or a matrix. Floats only. */
export function dot(a: Variable, b: Variable): Variable {
  checkArguments('dot', ['a', a, 'variable'], ['b', b, 'variable']);
  const dtype = promote(a.dtype, b.dtype);
  return applyOp(dotOp(), [cast(a, dtype), cast(b, dtype)]);
}

/** The op of {@link dot}. */
export const dotOp = defineOp({
  name: 'dot',
  inferTypes(inputs) {
    const [a, b] = [at(inputs, 0), at(inputs, 1)];
    if (!isFloat(a.dtype)) {
      throw new TensorTypeError(`dot: ${describe(a)} and ${describe(b)} are not floats; cast them first`);
    }
    if (a.ndim === 0 || b.ndim === 0 || b.ndim > 2) {
      throw new TensorTypeError(
        `dot: ${describe(a)} and ${describe(b)} cannot be multiplied; the first needs an axis, the second one or two`,
      );
    }
    const inner = at(a.shape, -1);
    const outer = at(b.shape, 0);
    if (commonSize(inner, outer) === undefined) {
      throw new TensorTypeError(
        `dot: the last axis of ${describe(a)} has size ${inner} but the first axis of ${describe(b)} has size ${outer}; they must be equal`,
      );
    }
    return [{ dtype: a.dtype, shape: [...a.shape.slice(0, -1), ...b.shape.slice(1)] }];
  },
  grad(node, outputGradients) {
    const [a, b] = [at(node.inputs, 0), at(node.inputs, 1)];
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
  run(inputs, node) {
    const [a, b] = [at(inputs, 0), at(inputs, 1)];
    const inner = at(a.shape, -1);
    if (inner !== at(b.shape, 0)) {
      throw new TensorTypeError(
        `dot: ${describe(at(node.inputs, 0))} of size ${formatShape(a.shape)} and ${describe(at(node.inputs, 1))} of size ${formatShape(b.shape)} cannot be multiplied; the last axis of the first must be the first of the second`,
      );
    }
    const columns = sizeOf(b.shape.slice(1));
    const rows = sizeOf(a.shape.slice(0, -1));
    const data = new Float64Array(rows * columns);
    for (let row = 0; row < rows; row += 1) {
      for (let k = 0; k < inner; k += 1) {
        const factor = at(a.data, row * inner + k);
        for (let column = 0; column < columns; column += 1) {
          const position = row * columns + column;
          data[position] = at(data, position) + factor * at(b.data, k * columns + column);
        }
      }
    }
    return [dense(node.output.dtype, [...a.shape.slice(0, -1), ...b.shape.slice(1)], data)];
  },
});
