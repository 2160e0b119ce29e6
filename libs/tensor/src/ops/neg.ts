import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition } from './elementwise.js';

/** `-x` */
export function neg(x: Variable): Variable {
  return applyElementwise(negOp, definition, [x]);
}

const definition: ElementwiseDefinition = {
  name: 'neg',
  accepts: 'number',
  compute: (x) => -x,
  onnx: 'Neg',
  gradients: (gradient) => [neg(gradient)],
};

/** The op of {@link neg}. */
export const negOp = elementwise(definition);
