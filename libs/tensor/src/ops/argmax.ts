import { applyOp } from '../graph/apply.js';
import { inputAt, type Op } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';
import { dense } from '../engine/reference/dense-array.js';
import { normalizeAxis } from './axis.js';
import { cast } from './cast.js';
import { isFloat } from '../graph/tensor-type.js';
import { groupsOf, reducedShape } from './reduction.js';

/** Options of {@link argmax}. */
export interface ArgmaxOptions {
  /** The axis to search. Default: the last. */
  readonly axis?: number;
  /** Keep that axis with size 1. Default false. */
  readonly keepdims?: boolean;
}

/** Index of the first maximum along an axis, int64. No gradient flows through it. */
export function argmax(x: Variable, options: ArgmaxOptions = {}): Variable {
  const axis = normalizeAxis('argmax', x, options.axis ?? -1);
  const native = isFloat(x.dtype) || x.dtype === 'int32';
  return applyOp(argmaxOp(axis, options.keepdims ?? false), [native ? x : cast(x, 'float64')]);
}

/** The op of {@link argmax}. */
export function argmaxOp(axis: number, keepdims: boolean): Op {
  return {
    name: 'argmax',
    parameters: { axis, keepdims },
    inferTypes: (inputs) => [{ dtype: 'int64', shape: reducedShape(inputAt(inputs, 0).shape, [axis], keepdims) }],
    grad: () => [null],
    onnx: (graph, inputs) => [
      graph.add('ArgMax', inputs, { axis: { int: axis }, keepdims: { int: keepdims ? 1 : 0 } }),
    ],
    run(inputs) {
      const x = inputAt(inputs, 0);
      const { groups, elements } = groupsOf(x.shape, [axis]);
      if (elements.length === 0) throw new RangeError('argmax: an axis of size 0 has no maximum');
      const value = (start: number, at: number): number => x.data[start + (elements[at] ?? 0)] ?? Number.NaN;
      const data = Float64Array.from(groups, (start) => {
        let best = 0;
        for (let at = 1; at < elements.length; at += 1) if (value(start, at) > value(start, best)) best = at;
        return best;
      });
      return [dense('int64', reducedShape(x.shape, [axis], keepdims), data)];
    },
  };
}
