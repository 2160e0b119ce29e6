import { inputAt } from '../graph/op.js';
import { mul } from './mul.js';
import { neg } from './neg.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition, type Operand } from './elementwise.js';

/** `a / b`, broadcasting. Integers are cast to floats first: Theano's true division. */
export function div(a: Operand, b: Operand): Variable {
  return applyElementwise(divOp, definition, [a, b]);
}

const definition: ElementwiseDefinition = {
  name: 'div',
  accepts: 'float',
  compute: (a, b) => a / b,
  onnx: 'Div',
  gradients: (gradient, inputs, output) => [
    div(gradient, inputAt(inputs, 1)),
    neg(div(mul(gradient, output), inputAt(inputs, 1))),
  ],
};

/** The op of {@link div}. */
export const divOp = elementwise(definition);
