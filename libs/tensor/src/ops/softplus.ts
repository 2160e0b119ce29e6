import { inputAt } from '../graph/op.js';
import { logistic } from './logistic.js';
import { mul } from './mul.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition } from './elementwise.js';

/** `log(1 + e^x)`, without overflow. */
export function softplus(x: Variable): Variable {
  return applyElementwise(softplusOp, definition, [x]);
}

const definition: ElementwiseDefinition = {
  name: 'softplus',
  accepts: 'float',
  compute: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  onnx: 'Softplus',
  gradients: (gradient, inputs) => [mul(gradient, logistic(inputAt(inputs, 0)))],
};

/** The op of {@link softplus}. */
export const softplusOp = elementwise(definition);
