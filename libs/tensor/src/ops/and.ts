import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition, type Operand } from './elementwise.js';

/** Logical and of two bools, broadcasting. */
export function and(a: Operand, b: Operand): Variable {
  return applyElementwise(andOp, definition, [a, b]);
}

const definition: ElementwiseDefinition = {
  name: 'and',
  accepts: 'bool',
  result: 'bool',
  compute: (a, b) => Number(a !== 0 && b !== 0),
  onnx: 'And',
};

/** The op of {@link and}. */
export const andOp = elementwise(definition);
