import { applyOp } from '../graph/apply.js';
import { constant } from '../graph/constant.js';
import { inputAt, type Op } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';
import { dense } from '../engine/reference/dense-array.js';
import { normalizeAxis } from './axis.js';

/** The size of one axis of x as an int64 scalar: a constant where it is known, else computed when the graph runs. */
export function dimension(x: Variable, axis: number): Variable {
  const at = normalizeAxis('dimension', x, axis);
  const dim = x.shape[at] ?? null;
  return dim === null ? applyOp(dimensionOp(at), [x]) : constant(dim, 'int64');
}

/** The op of {@link dimension}. */
export function dimensionOp(axis: number): Op {
  return {
    name: 'dimension',
    parameters: { axis },
    inferTypes: () => [{ dtype: 'int64', shape: [] }],
    grad: () => [null],
    onnx(graph, inputs) {
      const size = graph.add('Shape', inputs, { start: { int: axis }, end: { int: axis + 1 } });
      return [graph.add('Squeeze', [size, graph.int64Vector([0])])];
    },
    run: (inputs) => [dense('int64', [], Float64Array.of(inputAt(inputs, 0).shape[axis] ?? 0))],
  };
}
