import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition, type Operand } from './elementwise.js';

/** `a < b` as bool, elementwise, broadcasting. False where either is NaN. */
export function lt(a: Operand, b: Operand): Variable {
  return applyElementwise(ltOp, definition, [a, b]);
}

const definition: ElementwiseDefinition = {
  name: 'lt',
  accepts: 'any',
  result: 'bool',
  compute: (a, b) => Number(a < b),
  onnx: 'Less',
};

/** The op of {@link lt}. */
export const ltOp = elementwise(definition);
