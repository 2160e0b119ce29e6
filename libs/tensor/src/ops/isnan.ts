import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition } from './elementwise.js';

/** True where x is NaN. */
export function isnan(x: Variable): Variable {
  return applyElementwise(isnanOp, definition, [x]);
}

const definition: ElementwiseDefinition = {
  name: 'isnan',
  accepts: 'float',
  result: 'bool',
  compute: (x) => Number(Number.isNaN(x)),
  onnx: 'IsNaN',
};

/** The op of {@link isnan}. */
export const isnanOp = elementwise(definition);
