import { at } from '../../../arrays/at.js';
import type { OnnxGraph } from '../../../onnx/onnx-graph.js';
import type { OnnxLowerings } from './lowering.js';
import { isAllKnown } from '../../../graph/tensor-type.js';

export const shapes = {
  arange: (graph, inputs) => [graph.add('Range', inputs)],
  broadcastTo: (graph, inputs, { parameters: { shape } }) => [
    graph.add('Expand', [at(inputs, 0), sizesOf(graph, inputs, shape)]),
  ],
  cast: (graph, inputs, { parameters: { dtype } }) => [graph.cast(at(inputs, 0), dtype)],
  concatenate: (graph, inputs, { parameters: { axis } }) => [graph.add('Concat', inputs, { axis: { int: axis } })],
  dimension(graph, inputs, { parameters: { axis } }) {
    const size = graph.add('Shape', inputs, { start: { int: axis }, end: { int: axis + 1 } });
    return [graph.add('Squeeze', [size, graph.int64Vector([0])])];
  },
  dimshuffle(graph, inputs, { node, parameters: { order } }) {
    const kept = order.filter((axis) => axis !== 'x');
    const inserted = order.flatMap((axis, position) => (axis === 'x' ? [position] : []));
    const dropped = at(node.inputs, 0).shape.flatMap((_, axis) => (kept.includes(axis) ? [] : [axis]));
    let result = at(inputs, 0);
    if (dropped.length > 0) result = graph.add('Squeeze', [result, graph.int64Vector(dropped)]);
    const ranks = kept.toSorted((a, b) => a - b);
    const permutation = kept.map((axis) => ranks.indexOf(axis));
    if (permutation.some((axis, position) => axis !== position)) {
      result = graph.add('Transpose', [result], { perm: { ints: permutation } });
    }
    return [inserted.length === 0 ? result : graph.add('Unsqueeze', [result, graph.int64Vector(inserted)])];
  },
  fill(graph, inputs, { node }) {
    const { shape } = node.output;
    const target = isAllKnown(shape) ? graph.int64Vector(shape) : graph.add('Shape', [at(inputs, 0)]);
    return [graph.add('Expand', [at(inputs, 1), target])];
  },
  reshape(graph, inputs, { parameters: { shape: sizes } }) {
    const shape = sizesOf(graph, inputs, sizes);
    // allowzero: a 0 is a size, not "as in the input"; ONNX refuses it beside a -1.
    const attributes = sizes.includes(-1) ? {} : { allowzero: { int: 1 } };
    return [graph.add('Reshape', [at(inputs, 0), shape], attributes)];
  },
} satisfies Partial<OnnxLowerings>;

/** A shape as an int64 vector: the sizes in it that are inputs follow the first input. */
export function sizesOf(graph: OnnxGraph, inputs: readonly string[], sizes: readonly (number | 'input')[]): string {
  if (!sizes.includes('input')) return graph.int64Vector(sizes.map(Number));
  let next = 0;
  const parts = sizes.map((size) => {
    if (size !== 'input') return graph.int64Vector([size]);
    next += 1;
    return graph.add('Unsqueeze', [at(inputs, next), graph.int64Vector([0])]);
  });
  return graph.add('Concat', parts, { axis: { int: 0 } });
}
