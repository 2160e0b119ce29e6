import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition, type Operand } from './elementwise.js';

/** `a ≠ b` as bool, elementwise, broadcasting. True where either is NaN. */
export function neq(a: Operand, b: Operand): Variable {
  return applyElementwise(neqOp, definition, [a, b]);
}

const definition: ElementwiseDefinition = {
  name: 'neq',
  accepts: 'any',
  result: 'bool',
  compute: (a, b) => Number(a !== b),
  onnx: (graph, inputs) => graph.add('Not', [graph.add('Equal', inputs)]),
};

/** The op of {@link neq}. */
export const neqOp = elementwise(definition);
