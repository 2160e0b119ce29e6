import { applyOp } from '../graph/apply.js';
import { inputAt, onlyGradient, type Op } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';
import { dense, offsets, stridesOf } from '../engine/reference/dense-array.js';
import { add } from './add.js';
import { dimension } from './dimension.js';
import { slice } from './slice.js';

/** Zeros with the shape of `like`, holding `part` from `start` on along one axis: the gradient of `slice`. */
export function unslice(part: Variable, like: Variable, start: Variable, axis: number): Variable {
  return applyOp(unsliceOp(axis), [part, like, start]);
}

/** The op of {@link unslice}. */
export function unsliceOp(axis: number): Op {
  return {
    name: 'unslice',
    parameters: { axis },
    inferTypes: (inputs) => [{ dtype: inputAt(inputs, 0).dtype, shape: inputAt(inputs, 1).shape }],
    grad(node, outputGradients) {
      const [part, start] = [inputAt(node.inputs, 0), inputAt(node.inputs, 2)];
      const stop = add(start, dimension(part, axis));
      return [slice(onlyGradient(node, outputGradients), start, stop, { axis }), null, null];
    },
    onnx(graph, inputs) {
      const [part, like] = [inputAt(inputs, 0), inputAt(inputs, 1)];
      const range = { start: { int: axis }, end: { int: axis + 1 } };
      const before = graph.add('Unsqueeze', [inputAt(inputs, 2), graph.int64Vector([0])]);
      const room = graph.add('Sub', [graph.add('Shape', [like], range), graph.add('Shape', [part], range)]);
      const pads = graph.add('Concat', [before, graph.add('Sub', [room, before])], { axis: { int: 0 } });
      return [graph.add('Pad', [part, pads, '', graph.int64Vector([axis])])];
    },
    run(inputs) {
      const [part, like] = [inputAt(inputs, 0), inputAt(inputs, 1)];
      const strides = stridesOf(like.shape);
      const result = dense(part.dtype, like.shape);
      const writes = offsets(part.shape, strides, (inputAt(inputs, 2).data[0] ?? 0) * (strides[axis] ?? 0));
      for (const [at, offset] of writes.entries()) result.data[offset] = part.data[at] ?? Number.NaN;
      return [result];
    },
  };
}
