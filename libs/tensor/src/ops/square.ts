import { inputAt } from '../graph/op.js';
import { mul } from './mul.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition } from './elementwise.js';

/** `x · x` */
export function square(x: Variable): Variable {
  return applyElementwise(squareOp, definition, [x]);
}

const definition: ElementwiseDefinition = {
  name: 'square',
  accepts: 'number',
  compute: (x) => x * x,
  onnx: (graph, [x = '']) => graph.add('Mul', [x, x]),
  gradients: (gradient, inputs) => [mul(gradient, mul(inputAt(inputs, 0), 2))],
};

/** The op of {@link square}. */
export const squareOp = elementwise(definition);
