import { ndarray } from '@longrun/serialization';

import { at } from '../../../arrays/at.js';
import { typedArray } from '../../../arrays/typed-array.js';
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
  slice(graph, inputs, { parameters: { axis } }) {
    const zero = graph.int64Vector([0]);
    const bounds = inputs.slice(1).map((input) => graph.add('Unsqueeze', [input, zero]));
    return [graph.add('Slice', [at(inputs, 0), ...bounds, graph.int64Vector([axis])])];
  },
  unslice(graph, inputs, { parameters: { axis } }) {
    const [part, like] = [at(inputs, 0), at(inputs, 1)];
    const range = { start: { int: axis }, end: { int: axis + 1 } };
    const before = graph.add('Unsqueeze', [at(inputs, 2), graph.int64Vector([0])]);
    const room = graph.add('Sub', [graph.add('Shape', [like], range), graph.add('Shape', [part], range)]);
    const pads = graph.add('Concat', [before, graph.add('Sub', [room, before])], { axis: { int: 0 } });
    return [graph.add('Pad', [part, pads, '', graph.int64Vector([axis])])];
  },
} satisfies Partial<OnnxLowerings>;
