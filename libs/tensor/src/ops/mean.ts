import { isFloat, floatFor } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { elementCount } from './dimension.js';
import { div } from './div.js';
import { fill } from './fill.js';
import { reduce, reduceNode, type ReductionDefinition, type ReductionOptions } from './reduction.js';

/** Mean over axes; NaN over an empty axis. Bools and narrow integers are averaged in float32, 32 and 64-bit integers in float64. */
export function mean(x: Variable, options: ReductionOptions = {}): Variable {
  return reduce(definition, isFloat(x.dtype) ? x : cast(x, floatFor(x.dtype)), options);
}

const definition: ReductionDefinition = {
  name: 'mean',
  // Not ReduceMean, which says that the mean of nothing is 0.
  onnx(graph, x, axes, keepdims, node) {
    const { dtype } = node.output;
    const sizes = graph.add('Gather', [graph.add('Shape', [x]), graph.int64Vector(axes)]);
    const count = graph.cast(graph.add('ReduceProd', [sizes], { keepdims: { int: 0 } }), dtype);
    return graph.add('Div', [reduceNode(graph, 'ReduceSum', x, axes, keepdims), count]);
  },
  compute: (elements) => elements.reduce((total, element) => total + element, 0) / elements.length,
  gradient: (gradient, x, _output, axes) => fill(x, div(gradient, countOf(x, axes))),
};

function countOf(x: Variable, axes: readonly number[]): Variable | number {
  const count = elementCount(x, axes);
  return typeof count === 'number' ? count : cast(count, x.dtype);
}
