import type { DType } from '@longrun/serialization';

import { applyOp } from '../graph/apply.js';
import { Constant, constant } from '../graph/constant.js';
import { inputAt, onlyGradient, type Op } from '../graph/op.js';
import { isFloat } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { dense, wrapInteger } from '../engine/reference/dense-array.js';

/**
 * x in another dtype; x itself when it has that dtype already. To integers, values are truncated, those out of range being
 * undefined; to bool, everything but 0 is true. Gradients flow between floats only.
 */
export function cast(x: Variable, dtype: DType): Variable {
  if (x.dtype === dtype) return x;
  if (x instanceof Constant && x.ndim === 0) return constant(Number(x.value.data[0]), dtype);
  return applyOp(castOp(dtype), [x]);
}

/** The op of {@link cast}. */
export function castOp(dtype: DType): Op {
  return {
    name: 'cast',
    parameters: { dtype },
    inferTypes: (inputs) => [{ dtype, shape: inputAt(inputs, 0).shape }],
    grad(node, outputGradients) {
      const x = inputAt(node.inputs, 0);
      return [isFloat(x.dtype) && isFloat(dtype) ? cast(onlyGradient(node, outputGradients), x.dtype) : null];
    },
    onnx: (graph, inputs) => [graph.cast(inputAt(inputs, 0), dtype)],
    run(inputs) {
      const x = inputAt(inputs, 0);
      return [dense(dtype, x.shape, wrapInteger(dtype, x.data))];
    },
  };
}
