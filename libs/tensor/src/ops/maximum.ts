import { inputAt } from '../graph/op.js';
import { ge } from './ge.js';
import { where } from './where.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition, type Operand } from './elementwise.js';

/** The larger of `a` and `b`, broadcasting; NaN where either is. Where they are equal, the gradient goes to `a`. */
export function maximum(a: Operand, b: Operand): Variable {
  return applyElementwise(maximumOp, definition, [a, b]);
}

const definition: ElementwiseDefinition = {
  name: 'maximum',
  accepts: 'number',
  compute: (a, b) => Math.max(a, b),
  onnx: 'Max',
  gradients: (gradient, inputs) => {
    const first = ge(inputAt(inputs, 0), inputAt(inputs, 1));
    return [where(first, gradient, 0), where(first, 0, gradient)];
  },
};

/** The op of {@link maximum}. */
export const maximumOp = elementwise(definition);
