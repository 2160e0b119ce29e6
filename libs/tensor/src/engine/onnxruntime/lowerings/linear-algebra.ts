import { at } from '../../../arrays/at.js';
import type { OnnxLowerings } from './lowering.js';

export const linearAlgebra = {
  dot(graph, inputs, { node }) {
    const [a, b] = [at(inputs, 0), at(inputs, 1)];
    if (at(node.inputs, 1).ndim === 2) return [graph.add('MatMul', [a, b])];
    // A vector goes in as a column: ONNX Runtime's product of an empty transposed matrix and a vector fails.
    const last = graph.int64Vector([-1]);
    return [graph.add('Squeeze', [graph.add('MatMul', [a, graph.add('Unsqueeze', [b, last])]), last])];
  },
  matmul(graph, inputs, { node }) {
    const product = graph.add('MatMul', inputs);
    const { dtype, shape } = at(node.inputs, 0);
    if (at(shape, -1) !== null && at(shape, -1) !== 0) return [product];
    // ONNX Runtime leaves what was in memory where the sum is over nothing, in all matrices of a batch but the first.
    const size = graph.add('Shape', [at(inputs, 0)], { start: { int: -1 } });
    const nothing = graph.add('Equal', [size, graph.int64Vector([0])]);
    return [graph.add('Where', [nothing, graph.scalar(0, dtype), product])];
  },
} satisfies Partial<OnnxLowerings>;
