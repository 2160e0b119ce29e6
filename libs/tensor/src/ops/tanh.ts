import { mul } from './mul.js';
import { square } from './square.js';
import { sub } from './sub.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition } from './elementwise.js';

/** Hyperbolic tangent. */
export function tanh(x: Variable): Variable {
  return applyElementwise(tanhOp, definition, [x]);
}

const definition: ElementwiseDefinition = {
  name: 'tanh',
  accepts: 'float',
  compute: (x) => Math.tanh(x),
  onnx: 'Tanh',
  gradients: (gradient, _inputs, output) => [mul(gradient, sub(1, square(output)))],
};

/** The op of {@link tanh}. */
export const tanhOp = elementwise(definition);
