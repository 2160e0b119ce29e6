import type { Op } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition } from './elementwise.js';

/** A new variable with the value of x: what a brick tags instead of x itself. Theano calls it `x.copy()`. */
export function identity(x: Variable): Variable {
  return applyElementwise(identityOp, definition, [x]);
}

const definition: ElementwiseDefinition = {
  name: 'identity',
  accepts: 'any',
  compute: (x) => x,
  onnx: 'Identity',
  gradients: (gradient) => [gradient],
};

/** The op of {@link identity}. */
export const identityOp: Op = {
  ...elementwise(definition),
  // Of any dtype as it is, without the casts that computing needs.
  onnx: (graph, inputs) => [graph.add('Identity', inputs)],
};
