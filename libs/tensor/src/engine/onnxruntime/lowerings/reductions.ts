import type { DType } from '@longrun/serialization';

import { at } from '../../../arrays/at.js';
import { isFloat } from '../../../graph/tensor-type.js';
import type { OnnxGraph } from '../../../onnx/onnx-graph.js';
import type { ReductionParameters } from '../../../ops/reduction.js';
import type { OnnxLowering, OnnxLowerings } from './lowering.js';

export const reductions = {
  argmax(graph, inputs, { node, parameters: { axis, keepdims } }) {
    const attributes = { axis: { int: axis }, keepdims: { int: keepdims ? 1 : 0 } };
    const largest = graph.add('ArgMax', inputs, attributes);
    if (!isFloat(at(node.inputs, 0).dtype)) return [largest];
    // ArgMax passes NaN over wherever it is not first.
    const nans = nansOf(graph, at(inputs, 0));
    return [
      graph.add('Where', [anyOf(graph, nans, [axis], keepdims), graph.add('ArgMax', [nans], attributes), largest]),
    ];
  },
  logsumexp: reduction((graph, x, { axis, keepdims }) => reduce(graph, 'ReduceLogSumExp', x, axis, keepdims)),
  max: extreme('ReduceMax'),
  // Not ReduceMean, which says that the mean of nothing is 0.
  mean: reduction((graph, x, { axis, keepdims }, dtype) => {
    const sizes = graph.add('Gather', [graph.add('Shape', [x]), graph.int64Vector(axis)]);
    const count = graph.cast(graph.add('ReduceProd', [sizes], { keepdims: { int: 0 } }), dtype);
    return graph.add('Div', [reduce(graph, 'ReduceSum', x, axis, keepdims), count]);
  }),
  min: extreme('ReduceMin'),
  prod: reduction((graph, x, { axis, keepdims }) => reduce(graph, 'ReduceProd', x, axis, keepdims)),
  sum: reduction((graph, x, { axis, keepdims }) => reduce(graph, 'ReduceSum', x, axis, keepdims)),
} satisfies Partial<OnnxLowerings>;

/** ONNX Runtime passes NaN over wherever it is not first. */
function extreme(opType: 'ReduceMax' | 'ReduceMin'): OnnxLowering<ReductionParameters> {
  return reduction((graph, x, { axis, keepdims }, dtype) => {
    const found = reduce(graph, opType, x, axis, keepdims);
    if (!isFloat(dtype)) return found;
    const isNan = anyOf(graph, nansOf(graph, x), axis, keepdims);
    return graph.add('Where', [isNan, graph.scalar(Number.NaN, dtype), found]);
  });
}

/** 1 where x is NaN, else 0, as int32. */
function nansOf(graph: OnnxGraph, x: string): string {
  return graph.cast(graph.add('IsNaN', [x]), 'int32');
}

/** Whether any of the zeros and ones along `axis` is a one; false where there are none. */
function anyOf(graph: OnnxGraph, ones: string, axis: readonly number[], keepdims: boolean): string {
  return graph.cast(reduce(graph, 'ReduceSum', ones, axis, keepdims), 'bool');
}

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
