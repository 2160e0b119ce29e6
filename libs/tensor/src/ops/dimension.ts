import { sizeOf } from '@longrun/serialization';

import { applyOp } from '../graph/apply.js';
import { constant } from '../graph/constant.js';
import { inputAt, type Op } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';
import { dense } from '../engine/reference/dense-array.js';
import { normalizeAxis } from './axis.js';
import { mul } from './mul.js';

/** The size of one axis of x as an int64 scalar: a constant where it is known, else computed when the graph runs. */
export function dimension(x: Variable, axis: number): Variable {
  const at = normalizeAxis('dimension', x, axis);
  const dim = x.shape[at] ?? null;
  return dim === null ? applyOp(dimensionOp(at), [x]) : constant(dim, 'int64');
}

/** The number of elements along `axes` of x together: a number where it is known, else an int64 scalar. */
export function elementCount(x: Variable, axes: readonly number[]): number | Variable {
  const dims = axes.map((axis) => x.shape[normalizeAxis('elementCount', x, axis)] ?? null);
  if (!dims.includes(null)) return sizeOf(dims.map(Number));
  return axes.map((axis) => dimension(x, axis)).reduce((product, size) => mul(product, size));
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
