import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition, type Operand } from './elementwise.js';

/** `a <= b` as bool, elementwise, broadcasting. False where either is NaN. */
export function le(a: Operand, b: Operand): Variable {
  return applyElementwise(leOp, definition, [a, b]);
}

const definition: ElementwiseDefinition = {
  name: 'le',
  accepts: 'any',
  result: 'bool',
  compute: (a, b) => Number(a <= b),
  onnx: 'LessOrEqual',
};

/** The op of {@link le}. */
export const leOp = elementwise(definition);
