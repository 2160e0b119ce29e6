import { mul } from './mul.js';
import { sub } from './sub.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition } from './elementwise.js';

/** `1 / (1 + e^-x)`: the sigmoid, under the name Blocks gives it. */
export function logistic(x: Variable): Variable {
  return applyElementwise(logisticOp, definition, [x]);
}

const definition: ElementwiseDefinition = {
  name: 'logistic',
  accepts: 'float',
  compute: (x) => 1 / (1 + Math.exp(-x)),
  onnx: 'Sigmoid',
  gradients: (gradient, _inputs, output) => [mul(gradient, mul(output, sub(1, output)))],
};

/** The op of {@link logistic}. */
export const logisticOp = elementwise(definition);
