import { at } from '../../../arrays/at.js';
import { isFloat } from '../../../graph/tensor-type.js';
import { computeDtype } from './kernels.js';
import type { OnnxLowerings } from './lowering.js';

export const orders = {
  argsort(graph, inputs, { node, parameters: { axis, descending } }) {
    const [x, { dtype, shape }] = [at(inputs, 0), at(node.inputs, 0)];
    const isWhole = shape.every((dim, own) => own === axis || (dim !== null && dim > 0));
    const length = graph.add('Shape', [x], { start: { int: axis }, end: { int: axis + 1 } });
    // TopK divides by the number of rows: the process ends where there are none, unless nothing is wanted of them.
    const empty = graph.add('Equal', [graph.add('Size', [x]), graph.scalar(0, 'int64')]);
    const size = isWhole ? length : graph.add('Where', [empty, graph.int64Vector([0]), length]);
    // Of equal elements TopK puts the first first, whichever way it goes.
    const order = (keys: string): string =>
      at(graph.addMany('TopK', [keys, size], 2, { axis: { int: axis }, largest: { int: descending ? 1 : 0 } }), 1);
    const whole = (indices: string): string =>
      isWhole ? indices : graph.add('Reshape', [indices, graph.add('Shape', [x])], { allowzero: { int: 1 } });
    if (!isFloat(dtype)) return [whole(order(graph.cast(x, computeDtype(dtype))))];
    // TopK has no place for NaN: what is in the order of the numbers is put into that of the flags, which keeps equal ones as they are.
    const flags = graph.add('IsNaN', [x]);
    const numbers = order(graph.add('Where', [flags, graph.scalar(0, dtype), x]));
    const along = { axis: { int: axis } };
    const flagged = order(graph.add('GatherElements', [graph.cast(flags, 'int32'), numbers], along));
    return [whole(graph.add('GatherElements', [numbers, flagged], along))];
  },
  cumsum: (graph, inputs, { parameters: { axis, reverse } }) => [
    graph.add('CumSum', [at(inputs, 0), graph.scalar(axis, 'int64')], { reverse: { int: reverse ? 1 : 0 } }),
  ],
} satisfies Partial<OnnxLowerings>;
