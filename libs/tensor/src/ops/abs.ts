import { inputAt } from '../graph/op.js';
import { mul } from './mul.js';
import { sign } from './sign.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition } from './elementwise.js';

/** Absolute value; its gradient at 0 is 0. */
export function abs(x: Variable): Variable {
  return applyElementwise(absOp, definition, [x]);
}

const definition: ElementwiseDefinition = {
  name: 'abs',
  accepts: 'number',
  compute: (x) => Math.abs(x),
  onnx: 'Abs',
  gradients: (gradient, inputs) => [mul(gradient, sign(inputAt(inputs, 0)))],
};

/** The op of {@link abs}. */
export const absOp = elementwise(definition);
