import { at } from '../../../arrays/at.js';
import type { OnnxLowerings } from './lowering.js';
import { sumsOver } from './sums-of-nothing.js';

export const linearAlgebra = {
  dot(graph, inputs, { node }) {
    const [a, b] = [at(inputs, 0), at(inputs, 1)];
    if (at(node.inputs, 1).ndim === 2) return [graph.add('MatMul', [a, b])];
    // A vector goes in as a column: ONNX Runtime's product of an empty transposed matrix and a vector fails.
    const last = graph.int64Vector([-1]);
    return [graph.add('Squeeze', [graph.add('MatMul', [a, graph.add('Unsqueeze', [b, last])]), last])];
  },
  matmul(graph, inputs, { node }) {
    return [sumsOver(graph, graph.add('MatMul', inputs), at(node.inputs, 0), at(inputs, 0), -1)];
  },
} satisfies Partial<OnnxLowerings>;
