import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition, type Operand } from './elementwise.js';

/** `a = b` as bool, elementwise, broadcasting. False where either is NaN. */
export function eq(a: Operand, b: Operand): Variable {
  return applyElementwise(eqOp, definition, [a, b]);
}

const definition: ElementwiseDefinition = {
  name: 'eq',
  accepts: 'any',
  result: 'bool',
  compute: (a, b) => Number(a === b),
  onnx: 'Equal',
};

/** The op of {@link eq}. */
export const eqOp = elementwise(definition);
