import type { OnnxLowerings } from './lowering.js';

export const softmax = {
  logSoftmax: (graph, inputs) => [graph.add('LogSoftmax', inputs, { axis: { int: -1 } })],
  softmax: (graph, inputs) => [graph.add('Softmax', inputs, { axis: { int: -1 } })],
} satisfies Partial<OnnxLowerings>;
