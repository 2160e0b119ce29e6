import { inputAt } from '../graph/op.js';
import { le } from './le.js';
import { where } from './where.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition, type Operand } from './elementwise.js';

/** The smaller of `a` and `b`, broadcasting; NaN where either is. Where they are equal, the gradient goes to `a`. */
export function minimum(a: Operand, b: Operand): Variable {
  return applyElementwise(minimumOp, definition, [a, b]);
}

const definition: ElementwiseDefinition = {
  name: 'minimum',
  accepts: 'number',
  compute: (a, b) => Math.min(a, b),
  onnx: 'Min',
  gradients: (gradient, inputs) => {
    const first = le(inputAt(inputs, 0), inputAt(inputs, 1));
    return [where(first, gradient, 0), where(first, 0, gradient)];
  },
};

/** The op of {@link minimum}. */
export const minimumOp = elementwise(definition);
