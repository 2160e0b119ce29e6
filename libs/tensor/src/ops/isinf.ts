import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition } from './elementwise.js';

/** True where x is Infinity or -Infinity. */
export function isinf(x: Variable): Variable {
  return applyElementwise(isinfOp, definition, [x]);
}

const definition: ElementwiseDefinition = {
  name: 'isinf',
  accepts: 'float',
  result: 'bool',
  compute: (x) => Number(Math.abs(x) === Infinity),
  onnx: 'IsInf',
};

/** The op of {@link isinf}. */
export const isinfOp = elementwise(definition);
