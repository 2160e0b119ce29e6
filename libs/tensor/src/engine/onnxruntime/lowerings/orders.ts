import { at } from '../../../arrays/at.js';
import { isFloat, isKnown } from '../../../graph/tensor-type.js';
import type { OnnxGraph } from '../../../onnx/onnx-graph.js';
import { computeDtype } from './kernels.js';
import type { OnnxLowerings } from './lowering.js';

export const orders = {
  argsort(graph, inputs, { node, parameters: { axis, descending } }) {
    const [x, { dtype, shape }] = [at(inputs, 0), at(node.inputs, 0)];
    const isWhole = shape.every((dim, own) => own === axis || (isKnown(dim) && dim > 0));
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
  recurrence(graph, inputs, { node, parameters: { axis, reverse } }) {
    const { dtype, shape } = node.output;
    const row = { dtype, shape: shape.toSpliced(axis, 1) };
    const body = graph.subgraph([row, row, row], (inner, names) => {
      const [last, factor, term] = [at(names, 0), at(names, 1), at(names, 2)];
      const next = inner.add('Add', [inner.add('Mul', [factor, last]), term]);
      return [next, inner.add('Identity', [next])].map((name) => ({ name, type: row }));
    });
    // A Scan along another axis than the first ends the process where the first is empty.
    const others = shape.flatMap((_, own) => (own === axis ? [] : [own]));
    const leading = inputs.map((input) => transposed(graph, input, [axis, ...others]));
    const sizes = graph.add('Shape', [at(leading, 1)], { start: { int: 1 } });
    const start = graph.add('Expand', [graph.scalar(0, dtype), sizes]);
    // Nor is what is empty scanned: a row of zeros goes ahead, and out again.
    const zeros = graph.add('Unsqueeze', [start, graph.int64Vector([0])]);
    const whole = leading.map((input) =>
      graph.add('Concat', reverse ? [input, zeros] : [zeros, input], { axis: { int: 0 } }),
    );
    const directions = { ints: reverse ? [1, 1] : [0, 0] };
    const results = graph.addMany('Scan', [start, ...whole], 2, {
      body: { graph: body },
      num_scan_inputs: { int: 2 },
      scan_input_directions: directions,
      scan_output_directions: { ints: [at(directions.ints, 0)] },
    });
    const bounds = (reverse ? [0, -1] : [1, Number.MAX_SAFE_INTEGER]).map((one) => graph.int64Vector([one]));
    const result = graph.add('Slice', [at(results, 1), ...bounds, graph.int64Vector([0])]);
    return [transposed(graph, result, others.map((own) => (own < axis ? own + 1 : own)).toSpliced(axis, 0, 0))];
  },
} satisfies Partial<OnnxLowerings>;

function transposed(graph: OnnxGraph, x: string, order: readonly number[]): string {
  return order.every((axis, position) => axis === position)
    ? x
    : graph.add('Transpose', [x], { perm: { ints: order } });
}
