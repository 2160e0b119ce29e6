import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition, type Operand } from './elementwise.js';

/** Logical or of two bools, broadcasting. */
export function or(a: Operand, b: Operand): Variable {
  return applyElementwise(orOp, definition, [a, b]);
}

const definition: ElementwiseDefinition = {
  name: 'or',
  accepts: 'bool',
  result: 'bool',
  compute: (a, b) => Number(a !== 0 || b !== 0),
  onnx: 'Or',
};

/** The op of {@link or}. */
export const orOp = elementwise(definition);
