import { inputAt } from '../graph/op.js';
import { zerosLike } from './fill.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition } from './elementwise.js';

/** -1, 0 or 1; its gradient is 0 everywhere. */
export function sign(x: Variable): Variable {
  return applyElementwise(signOp, definition, [x]);
}

const definition: ElementwiseDefinition = {
  name: 'sign',
  accepts: 'number',
  compute: (x) => Math.sign(x),
  onnx: 'Sign',
  gradients: (_gradient, inputs) => [zerosLike(inputAt(inputs, 0))],
};

/** The op of {@link sign}. */
export const signOp = elementwise(definition);
