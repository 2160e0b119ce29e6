import { inputAt } from '../graph/op.js';
import { logistic } from './logistic.js';
import { mul } from './mul.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition } from './elementwise.js';

/** `log(1 + e^x)`, without overflow. */
export function softplus(x: Variable): Variable {
  return applyElementwise(softplusOp, definition, [x]);
}

const definition: ElementwiseDefinition = {
  name: 'softplus',
  accepts: 'float',
  compute: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  onnx: (graph, [x = ''], dtype) => {
    if (dtype === 'float32') return graph.add('Softplus', [x]);
    // ONNX Runtime has no Softplus of float64.
    const power = graph.add('Exp', [graph.add('Neg', [graph.add('Abs', [x])])]);
    const logarithm = graph.add('Log', [graph.add('Add', [power, graph.scalar(1, dtype)])]);
    return graph.add('Add', [graph.add('Max', [x, graph.scalar(0, dtype)]), logarithm]);
  },
  gradients: (gradient, inputs) => [mul(gradient, logistic(inputAt(inputs, 0)))],
};

/** The op of {@link softplus}. */
export const softplusOp = elementwise(definition);
