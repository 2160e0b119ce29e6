import type { DType } from '@longrun/serialization';

import { at } from '../../../arrays/at.js';
import type { OnnxGraph } from '../../../onnx/onnx-graph.js';
import type { ReductionParameters } from '../../../ops/reduction.js';
import type { OnnxLowering, OnnxLowerings } from './lowering.js';

export const reductions = {
  argmax: (graph, inputs, { parameters: { axis, keepdims } }) => [
    graph.add('ArgMax', inputs, { axis: { int: axis }, keepdims: { int: keepdims ? 1 : 0 } }),
  ],
  max: reduction((graph, x, { axis, keepdims }) => reduce(graph, 'ReduceMax', x, axis, keepdims)),
  // Not ReduceMean, which says that the mean of nothing is 0.
  mean: reduction((graph, x, { axis, keepdims }, dtype) => {
    const sizes = graph.add('Gather', [graph.add('Shape', [x]), graph.int64Vector(axis)]);
    const count = graph.cast(graph.add('ReduceProd', [sizes], { keepdims: { int: 0 } }), dtype);
    return graph.add('Div', [reduce(graph, 'ReduceSum', x, axis, keepdims), count]);
  }),
  sum: reduction((graph, x, { axis, keepdims }) => reduce(graph, 'ReduceSum', x, axis, keepdims)),
} satisfies Partial<OnnxLowerings>;

type Reduce = (graph: OnnxGraph, x: string, parameters: ReductionParameters, dtype: DType) => string;

/** Without axes ONNX would reduce all of them; here nothing is reduced. */
function reduction(nodes: Reduce): OnnxLowering<ReductionParameters> {
  return (graph, inputs, { node, parameters }) => [
    parameters.axis.length === 0
      ? graph.add('Identity', inputs)
      : nodes(graph, at(inputs, 0), parameters, node.output.dtype),
  ];
}

function reduce(graph: OnnxGraph, opType: string, x: string, axis: readonly number[], keepdims: boolean): string {
  return graph.add(opType, [x, graph.int64Vector(axis)], { keepdims: { int: keepdims ? 1 : 0 } });
}
