import { inputAt } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition, type Operand } from './elementwise.js';

/** `a` where the bool `condition` is true, else `b`, broadcasting; Theano's `switch`. No gradient flows to the condition. */
export function where(condition: Variable, a: Operand, b: Operand): Variable {
  return applyElementwise(whereOp, definition, [condition, a, b]);
}

const definition: ElementwiseDefinition = {
  name: 'where',
  accepts: 'any',
  firstIsCondition: true,
  compute: (condition, a, b) => (condition === 0 ? b : a),
  onnx: 'Where',
  gradients: (gradient, inputs) => {
    const condition = inputAt(inputs, 0);
    return [null, where(condition, gradient, 0), where(condition, 0, gradient)];
  },
};

/** The op of {@link where}. */
export const whereOp = elementwise(definition);
