import { neg } from './neg.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition, type Operand } from './elementwise.js';

/** `a - b`, broadcasting. */
export function sub(a: Operand, b: Operand): Variable {
  return applyElementwise(subOp, definition, [a, b]);
}

const definition: ElementwiseDefinition = {
  name: 'sub',
  accepts: 'number',
  compute: (a, b) => a - b,
  onnx: 'Sub',
  gradients: (gradient) => [gradient, neg(gradient)],
};

/** The op of {@link sub}. */
export const subOp = elementwise(definition);
