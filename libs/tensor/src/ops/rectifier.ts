import { inputAt } from '../graph/op.js';
import { gt } from './gt.js';
import { where } from './where.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition } from './elementwise.js';

/** `max(x, 0)`; its gradient at 0 is 0. */
export function rectifier(x: Variable): Variable {
  return applyElementwise(rectifierOp, definition, [x]);
}

const definition: ElementwiseDefinition = {
  name: 'rectifier',
  accepts: 'number',
  compute: (x) => Math.max(x, 0),
  // ONNX Runtime has no Relu of int64.
  onnx: (graph, [x = ''], dtype) =>
    dtype === 'int64' ? graph.add('Max', [x, graph.scalar(0, dtype)]) : graph.add('Relu', [x]),
  gradients: (gradient, inputs) => [where(gt(inputAt(inputs, 0), 0), gradient, 0)],
};

/** The op of {@link rectifier}. */
export const rectifierOp = elementwise(definition);
