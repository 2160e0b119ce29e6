import { div } from './div.js';
import { mul } from './mul.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition } from './elementwise.js';

/** Square root; NaN below 0. */
export function sqrt(x: Variable): Variable {
  return applyElementwise(sqrtOp, definition, [x]);
}

const definition: ElementwiseDefinition = {
  name: 'sqrt',
  accepts: 'float',
  compute: (x) => Math.sqrt(x),
  onnx: 'Sqrt',
  gradients: (gradient, _inputs, output) => [div(mul(gradient, 0.5), output)],
};

/** The op of {@link sqrt}. */
export const sqrtOp = elementwise(definition);
