import { at } from '../../../arrays/at.js';
import type { OnnxLowerings } from './lowering.js';

export const softmax = {
  logSoftmax(graph, inputs, { node }) {
    if (node.output.dtype === 'float32') return [graph.add('LogSoftmax', inputs, { axis: { int: -1 } })];
    // ONNX Runtime's LogSoftmax of float64 makes numbers of NaN and infinities.
    const [first, last, keepdims] = [graph.int64Vector([0]), graph.int64Vector([-1]), { keepdims: { int: 1 } }];
    const isVector = node.output.ndim === 1;
    // A vector goes in as a row: of one of size 0, ONNX Runtime reuses the memory for what has a size of 1.
    const x = isVector ? graph.add('Unsqueeze', [at(inputs, 0), first]) : at(inputs, 0);
    const shifted = graph.add('Sub', [x, graph.add('ReduceMax', [x, last], keepdims)]);
    const total = graph.add('ReduceSum', [graph.add('Exp', [shifted]), last], keepdims);
    const result = graph.add('Sub', [shifted, graph.add('Log', [total])]);
    return [isVector ? graph.add('Squeeze', [result, first]) : result];
  },
  softmax: (graph, inputs) => [graph.add('Softmax', inputs, { axis: { int: -1 } })],
} satisfies Partial<OnnxLowerings>;
