import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition, type Operand } from './elementwise.js';

/** `a + b`, broadcasting. */
export function add(a: Operand, b: Operand): Variable {
  return applyElementwise(addOp, definition, [a, b]);
}

const definition: ElementwiseDefinition = {
  name: 'add',
  accepts: 'number',
  compute: (a, b) => a + b,
  onnx: 'Add',
  gradients: (gradient) => [gradient, gradient],
};

/** The op of {@link add}. */
export const addOp = elementwise(definition);
