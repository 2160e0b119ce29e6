import { at } from '../../../arrays/at.js';
import type { OnnxGraph } from '../../../onnx/onnx-graph.js';
import type { OnnxLowerings } from './lowering.js';

export const softmax = {
  logSoftmax(graph, inputs, { node }) {
    if (node.output.dtype === 'float32') return [graph.add('LogSoftmax', inputs, { axis: { int: -1 } })];
    // ONNX Runtime's LogSoftmax of float64 makes numbers of NaN and infinities.
    const [x, last, keepdims] = [at(inputs, 0), lastAxis(graph, node.output.ndim), { keepdims: { int: 1 } }];
    const shifted = graph.add('Sub', [x, graph.add('ReduceMax', [x, last], keepdims)]);
    const total = graph.add('ReduceSum', [graph.add('Exp', [shifted]), last], keepdims);
    return [graph.add('Sub', [shifted, graph.add('Log', [total])])];
  },
  softmax: (graph, inputs) => [graph.add('Softmax', inputs, { axis: { int: -1 } })],
} satisfies Partial<OnnxLowerings>;

/** For reductions: of nothing they do not take -1, and make something of another shape than they have said. */
export function lastAxis(graph: OnnxGraph, ndim: number): string {
  return graph.int64Vector([ndim - 1]);
}
