import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition } from './elementwise.js';

/** Logical not of a bool. */
export function not(x: Variable): Variable {
  return applyElementwise(notOp, definition, [x]);
}

const definition: ElementwiseDefinition = {
  name: 'not',
  accepts: 'bool',
  result: 'bool',
  compute: (x) => Number(x === 0),
  onnx: 'Not',
};

/** The op of {@link not}. */
export const notOp = elementwise(definition);
