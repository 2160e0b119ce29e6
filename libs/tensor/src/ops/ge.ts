import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition, type Operand } from './elementwise.js';

/** `a >= b` as bool, elementwise, broadcasting. False where either is NaN. */
export function ge(a: Operand, b: Operand): Variable {
  return applyElementwise(geOp, definition, [a, b]);
}

const definition: ElementwiseDefinition = {
  name: 'ge',
  accepts: 'any',
  result: 'bool',
  compute: (a, b) => Number(a >= b),
  onnx: 'GreaterOrEqual',
};

/** The op of {@link ge}. */
export const geOp = elementwise(definition);
