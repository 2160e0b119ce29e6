import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition, type Operand } from './elementwise.js';

/** `a > b` as bool, elementwise, broadcasting. False where either is NaN. */
export function gt(a: Operand, b: Operand): Variable {
  return applyElementwise(gtOp, definition, [a, b]);
}

const definition: ElementwiseDefinition = {
  name: 'gt',
  accepts: 'any',
  result: 'bool',
  compute: (a, b) => Number(a > b),
  onnx: 'Greater',
};

/** The op of {@link gt}. */
export const gtOp = elementwise(definition);
