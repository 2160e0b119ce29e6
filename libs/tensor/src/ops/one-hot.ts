import { ndarray, type DType } from '@longrun/serialization';

import { applyOp } from '../graph/apply.js';
import { constant, Constant, typedArray } from '../graph/constant.js';
import { inputAt, type Op } from '../graph/op.js';
import { TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { dense } from '../engine/reference/dense-array.js';
import { cast } from './cast.js';

/**
 * `output[..., j]` is 1 where `labels[...]` is j, else 0: (..., depth) of `dtype`, float32 by default. A negative label counts
 * from the end; one out of range gives a row of zeros.
 */
export function oneHot(labels: Variable, depth: number | Variable, dtype: DType = 'float32'): Variable {
  const size = typeof depth === 'number' ? constant(depth, 'int64') : cast(depth, 'int64');
  const native = dtype === 'float32' || dtype === 'int64';
  const hot = applyOp(oneHotOp(native ? dtype : 'float32'), [cast(labels, 'int64'), size]);
  return cast(hot, dtype);
}

/** The op of {@link oneHot}. */
export function oneHotOp(dtype: DType): Op {
  return {
    name: 'oneHot',
    parameters: { dtype },
    inferTypes(inputs) {
      const labels = inputAt(inputs, 0);
      const depth = inputAt(inputs, 1);
      if (labels.dtype !== 'int64' || depth.ndim !== 0 || depth.dtype !== 'int64') {
        throw new TensorTypeError(
          `oneHot: ${describe(labels)} and depth ${describe(depth)}: labels must be integers, and the depth an integer scalar`,
        );
      }
      return [{ dtype, shape: [...labels.shape, depth instanceof Constant ? Number(depth.value.data[0]) : null] }];
    },
    grad: () => [null, null],
    onnx(graph, inputs, node) {
      const [labels, depth] = [inputAt(inputs, 0), inputAt(inputs, 1)];
      const values = graph.initializer(ndarray(dtype, [2], typedArray(dtype, [0, 1])));
      const axis = { axis: { int: -1 } };
      if (inputAt(node.inputs, 0).ndim > 0) return [graph.add('OneHot', [labels, depth, values], axis)];
      // ONNX has no OneHot of a scalar.
      const first = graph.int64Vector([0]);
      const row = graph.add('OneHot', [graph.add('Unsqueeze', [labels, first]), depth, values], axis);
      return [graph.add('Squeeze', [row, first])];
    },
    run(inputs) {
      const labels = inputAt(inputs, 0);
      const depth = inputAt(inputs, 1).data[0] ?? 0;
      const data = new Float64Array(labels.data.length * depth);
      for (const [row, label] of labels.data.entries()) {
        if (label >= -depth && label < depth) data[row * depth + (label < 0 ? label + depth : label)] = 1;
      }
      return [dense(dtype, [...labels.shape, depth], data)];
    },
  };
}
