import { ndarray } from '@longrun/serialization';

import { at } from '../../../arrays/at.js';
import { typedArray } from '../../../arrays/typed-array.js';
import { Constant } from '../../../graph/constant.js';
import { isKnown } from '../../../graph/tensor-type.js';
import type { Variable } from '../../../graph/variable.js';
import type { OnnxGraph } from '../../../onnx/onnx-graph.js';
import type { OnnxLowerings } from './lowering.js';

export const indexing = {
  oneHot(graph, inputs, { node, parameters: { dtype } }) {
    const [labels, depth] = [at(inputs, 0), at(inputs, 1)];
    const values = graph.initializer(ndarray(dtype, [2], typedArray(dtype, [0, 1])));
    const axis = { axis: { int: -1 } };
    if (at(node.inputs, 0).ndim > 0) return [graph.add('OneHot', [labels, depth, values], axis)];
    // ONNX has no OneHot of a scalar.
    const first = graph.int64Vector([0]);
    const row = graph.add('OneHot', [graph.add('Unsqueeze', [labels, first]), depth, values], axis);
    return [graph.add('Squeeze', [row, first])];
  },
  pick(graph, inputs) {
    const [x, labels] = [at(inputs, 0), at(inputs, 1)];
    // Reshaped to the rows of x and not just unsqueezed: GatherElements takes fewer labels than rows without a word.
    const rows = graph.add('Shape', [x], { start: { int: 0 }, end: { int: -1 } });
    const shape = graph.add('Concat', [rows, graph.int64Vector([1])], { axis: { int: 0 } });
    const column = graph.add('Reshape', [labels, shape], { allowzero: { int: 1 } });
    const picked = graph.add('GatherElements', [x, column], { axis: { int: -1 } });
    return [graph.add('Squeeze', [picked, graph.int64Vector([-1])])];
  },
  putAlongAxis: (graph, inputs, { parameters: { axis, mode } }) => [
    // Adds in the order given, on one thread: bits repeat.
    graph.add('ScatterElements', inputs, {
      axis: { int: axis },
      reduction: { string: mode === 'add' ? 'add' : 'none' },
    }),
  ],
  slice(graph, inputs, { node, parameters: { axis, step } }) {
    const zero = graph.int64Vector([0]);
    const bounds = inputs.slice(1).map((input) => graph.add('Unsqueeze', [input, zero]));
    const start = at(node.inputs, 1);
    if (step < 0 && !(start instanceof Constant && start.toNumber() >= 0)) {
      // ONNX moves a start before the first element onto it, where NumPy has nothing to go back from.
      const size = sizeOfAxis(graph, inputs, at(node.inputs, 0), 0, axis);
      const before = graph.add('Less', [at(bounds, 0), graph.add('Neg', [size])]);
      bounds[1] = graph.add('Where', [before, graph.int64Vector([Number.MAX_SAFE_INTEGER]), at(bounds, 1)]);
    }
    return [graph.add('Slice', [at(inputs, 0), ...bounds, graph.int64Vector([axis]), graph.int64Vector([step])])];
  },
  take: (graph, inputs, { parameters: { axis } }) => [graph.add('Gather', inputs, { axis: { int: axis } })],
  takeAlongAxis: (graph, inputs, { parameters: { axis } }) => [
    graph.add('GatherElements', inputs, { axis: { int: axis } }),
  ],
  unslice(graph, inputs, { node, parameters: { axis } }) {
    const [part, like, start] = [at(node.inputs, 0), at(node.inputs, 1), at(node.inputs, 2)];
    const [room, size] = [at(like.shape, axis), at(part.shape, axis)];
    const others = part.shape.map(() => 0);
    // Pads of all axes: ONNX Runtime moves a transpose past a Pad with an `axes` input and forgets the axes.
    if (isKnown(room) && isKnown(size) && start instanceof Constant) {
      const before = Math.min(start.toNumber(), room);
      const pads = graph.int64Vector([...others.with(axis, before), ...others.with(axis, room - size - before)]);
      return [graph.add('Pad', [at(inputs, 0), pads])];
    }
    const before = graph.add('Unsqueeze', [at(inputs, 2), graph.int64Vector([0])]);
    const free = graph.add('Sub', [sizeOfAxis(graph, inputs, like, 1, axis), sizeOfAxis(graph, inputs, part, 0, axis)]);
    const between = graph.int64Vector(others.slice(1));
    const [leading, trailing] = [graph.int64Vector(others.slice(0, axis)), graph.int64Vector(others.slice(axis + 1))];
    const pads = [leading, before, between, graph.add('Sub', [free, before]), trailing];
    return [graph.add('Pad', [at(inputs, 0), graph.add('Concat', pads, { axis: { int: 0 } })])];
  },
} satisfies Partial<OnnxLowerings>;

/** The size of one axis of input `position` as a vector of one: a constant where the type tells it. */
function sizeOfAxis(graph: OnnxGraph, inputs: readonly string[], x: Variable, position: number, axis: number): string {
  const dim = at(x.shape, axis);
  if (isKnown(dim)) return graph.int64Vector([dim]);
  return graph.add('Shape', [at(inputs, position)], { start: { int: axis }, end: { int: axis + 1 } });
}
