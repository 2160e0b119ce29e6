import { at } from '../../../arrays/at.js';
import { isKnown } from '../../../graph/tensor-type.js';
import type { Variable } from '../../../graph/variable.js';
import type { OnnxGraph } from '../../../onnx/onnx-graph.js';

/**
 * `sums` over an axis of `x`, which are 0 where that axis is empty: ONNX Runtime leaves what was in memory there, in all matrices of a
 * batch but the first and in transposed convolutions.
 */
export function sumsOver(graph: OnnxGraph, sums: string, x: Variable, name: string, axis: number): string {
  const size = at(x.shape, axis);
  if (isKnown(size) && size !== 0) return sums;
  const end = axis === -1 ? {} : { end: { int: axis + 1 } };
  const found = graph.add('Shape', [name], { start: { int: axis }, ...end });
  return graph.add('Where', [graph.add('Equal', [found, graph.int64Vector([0])]), graph.scalar(0, x.dtype), sums]);
}
