import { applyOp } from '../graph/apply.js';
import { inputAt, onlyGradient, type Op } from '../graph/op.js';
import { formatShape, isFloat, shapeFits, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { dense, wrapInteger } from '../engine/reference/dense-array.js';
import { cast } from './cast.js';
import { dimension } from './dimension.js';
import { dimshuffle } from './dimshuffle.js';
import { mul } from './mul.js';
import { oneHot } from './one-hot.js';

/**
 * One element of each row: `output[i] = x[i, labels[i]]`, for x (..., n) and integer labels (...). A negative label counts from
 * the end; one out of range is an error when the graph runs.
 */
export function pick(x: Variable, labels: Variable): Variable {
  return applyOp(pickOp, [x, cast(labels, 'int64')]);
}

/** The op of {@link pick}. */
export const pickOp: Op = {
  name: 'pick',
  parameters: {},
  inferTypes(inputs) {
    const x = inputAt(inputs, 0);
    const labels = inputAt(inputs, 1);
    const rows = x.shape.slice(0, -1);
    const known = labels.shape.map((dim, axis) => dim ?? rows[axis] ?? null);
    if (
      x.ndim === 0 ||
      labels.dtype !== 'int64' ||
      !shapeFits(
        known,
        rows.map((dim, axis) => (known[axis] === null ? null : dim)),
      )
    ) {
      throw new TensorTypeError(
        `pick: ${describe(labels)} does not index the rows of ${describe(x)}; give integer labels of shape ${formatShape(rows)}`,
      );
    }
    return [{ dtype: x.dtype, shape: known }];
  },
  grad(node, outputGradients) {
    const x = inputAt(node.inputs, 0);
    if (!isFloat(x.dtype)) return [null, null];
    const labels = inputAt(node.inputs, 1);
    const gradient = onlyGradient(node, outputGradients);
    const column = dimshuffle(gradient, [...gradient.shape.map((_, axis) => axis), 'x']);
    return [mul(oneHot(labels, x.shape.at(-1) ?? dimension(x, -1), x.dtype), column), null];
  },
  onnx(graph, inputs) {
    const [x, labels] = [inputAt(inputs, 0), inputAt(inputs, 1)];
    // Reshaped to the rows of x and not just unsqueezed: GatherElements takes fewer labels than rows without a word.
    const rows = graph.add('Shape', [x], { start: { int: 0 }, end: { int: -1 } });
    const shape = graph.add('Concat', [rows, graph.int64Vector([1])], { axis: { int: 0 } });
    const column = graph.add('Reshape', [labels, shape], { allowzero: { int: 1 } });
    const picked = graph.add('GatherElements', [x, column], { axis: { int: -1 } });
    return [graph.add('Squeeze', [picked, graph.int64Vector([-1])])];
  },
  run(inputs, node) {
    const x = inputAt(inputs, 0);
    const labels = inputAt(inputs, 1);
    const width = x.shape.at(-1) ?? 1;
    if (!shapeFits(labels.shape, x.shape.slice(0, -1))) {
      throw new TensorTypeError(
        `pick: ${describe(inputAt(node.inputs, 1))} of size ${formatShape(labels.shape)} does not index the rows of ${describe(inputAt(node.inputs, 0))} of size ${formatShape(x.shape)}`,
      );
    }
    const data = labels.data.map((label, row) => {
      if (label < -width || label >= width) throw new RangeError(`pick: label ${label} is not one of ${width} classes`);
      return x.data[row * width + (label < 0 ? label + width : label)] ?? Number.NaN;
    });
    return [dense(x.dtype, labels.shape, wrapInteger(x.dtype, data))];
  },
};
