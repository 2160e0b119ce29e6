import { inputAt } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition, type Operand } from './elementwise.js';

/** `a * b`, elementwise, broadcasting. */
export function mul(a: Operand, b: Operand): Variable {
  return applyElementwise(mulOp, definition, [a, b]);
}

const definition: ElementwiseDefinition = {
  name: 'mul',
  accepts: 'number',
  compute: (a, b) => a * b,
  onnx: 'Mul',
  gradients: (gradient, inputs) => [mul(gradient, inputAt(inputs, 1)), mul(gradient, inputAt(inputs, 0))],
};

/** The op of {@link mul}. */
export const mulOp = elementwise(definition);
