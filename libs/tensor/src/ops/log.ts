import { inputAt } from '../graph/op.js';
import { div } from './div.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition } from './elementwise.js';

/** Natural logarithm; -Infinity at 0, NaN below. */
export function log(x: Variable): Variable {
  return applyElementwise(logOp, definition, [x]);
}

const definition: ElementwiseDefinition = {
  name: 'log',
  accepts: 'float',
  compute: (x) => Math.log(x),
  onnx: 'Log',
  gradients: (gradient, inputs) => [div(gradient, inputAt(inputs, 0))],
};

/** The op of {@link log}. */
export const logOp = elementwise(definition);
