import { at } from '../arrays/at.js';
import { dense, wrapInteger } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import { commonShape, formatShape, isFloat, shapeFits, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { sizeAlong } from './dimension.js';
import { dimshuffle } from './dimshuffle.js';
import { mul } from './mul.js';
import { oneHot } from './one-hot.js';

/**
 * One element of each row: `output[i] = x[i, labels[i]]`, for x (..., n) and integer labels (...). A negative label counts from
 * the end; one out of range is an error when the graph runs.
 */
export function pick(x: Variable, labels: Variable): Variable {
  checkArguments('pick', ['x', x, 'variable'], ['labels', labels, 'variable']);
  return applyOp(pickOp(), [x, cast(labels, 'int64')]);
}

/** The op of {@link pick}. */
export const pickOp = defineOp({
  name: 'pick',
  inferTypes(inputs) {
    const [x, labels] = [at(inputs, 0), at(inputs, 1)];
    const rows = x.shape.slice(0, -1);
    const mismatch = new TensorTypeError(
      `pick: ${describe(labels)} does not index the rows of ${describe(x)}; give integer labels of shape ${formatShape(rows)}`,
    );
    if (x.ndim === 0 || labels.dtype !== 'int64') throw mismatch;
    const shape = commonShape(labels.shape, rows);
    if (shape === undefined) throw mismatch;
    return [{ dtype: x.dtype, shape }];
  },
  grad(node, outputGradients) {
    const [x, labels] = [at(node.inputs, 0), at(node.inputs, 1)];
    if (!isFloat(x.dtype)) return [DISCONNECTED, DISCONNECTED];
    const gradient = onlyGradient(node, outputGradients);
    const column = dimshuffle(gradient, [...gradient.shape.map((_, axis) => axis), 'x']);
    return [mul(oneHot(labels, sizeAlong(x, -1), x.dtype), column), DISCONNECTED];
  },
  run(inputs, node) {
    const [x, labels] = [at(inputs, 0), at(inputs, 1)];
    const width = at(x.shape, -1);
    if (!shapeFits(labels.shape, x.shape.slice(0, -1))) {
      throw new TensorTypeError(
        `pick: ${describe(at(node.inputs, 1))} of size ${formatShape(labels.shape)} does not index the rows of ${describe(at(node.inputs, 0))} of size ${formatShape(x.shape)}`,
      );
    }
    const data = labels.data.map((label, row) => {
      if (label < -width || label >= width) throw new RangeError(`pick: label ${label} is not one of ${width} classes`);
      return at(x.data, row * width + (label < 0 ? label + width : label));
    });
    return [dense(x.dtype, labels.shape, wrapInteger(x.dtype, data))];
  },
});
