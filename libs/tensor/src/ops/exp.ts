import { mul } from './mul.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition } from './elementwise.js';

/** `e^x` */
export function exp(x: Variable): Variable {
  return applyElementwise(expOp, definition, [x]);
}

const definition: ElementwiseDefinition = {
  name: 'exp',
  accepts: 'float',
  compute: (x) => Math.exp(x),
  onnx: 'Exp',
  gradients: (gradient, _inputs, output) => [mul(gradient, output)],
};

/** The op of {@link exp}. */
export const expOp = elementwise(definition);
