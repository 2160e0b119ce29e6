import { at } from '../arrays/at.js';
import { dense } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { defineOp } from '../graph/op.js';
import { isFloat } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { normalizeAxis } from './axis.js';
import { cast } from './cast.js';
import { groupsOf, reducedShape } from './reduction.js';

/** Options of {@link argmax}. */
export interface ArgmaxOptions {
  /** The axis to search. Default: the last. */
  readonly axis?: number;
  /** Keep that axis with size 1. Default false. */
  readonly keepdims?: boolean;
}

/** Index of the first maximum along an axis, NaN being larger than all numbers as in NumPy; int64. No gradient flows through it. */
export function argmax(x: Variable, options: ArgmaxOptions = {}): Variable {
  checkArguments('argmax', ['x', x, 'variable'], ['options', options, 'options']);
  const axis = normalizeAxis('argmax', x, options.axis ?? -1);
  const native = isFloat(x.dtype) || x.dtype === 'int32';
  return applyOp(argmaxOp({ axis, keepdims: options.keepdims ?? false }), [native ? x : cast(x, 'float64')]);
}

type ArgmaxParameters = { readonly axis: number; readonly keepdims: boolean };

/** The op of {@link argmax}. */
export const argmaxOp = defineOp({
  name: 'argmax',
  inferTypes: (inputs, { axis, keepdims }: ArgmaxParameters) => [
    { dtype: 'int64', shape: reducedShape(at(inputs, 0).shape, [axis], keepdims) },
  ],
  grad: () => [DISCONNECTED],
  run(inputs, _node, { axis, keepdims }) {
    const x = at(inputs, 0);
    const { groups, elements } = groupsOf(x.shape, [axis]);
    if (elements.length === 0) throw new RangeError('argmax: an axis of size 0 has no maximum');
    const data = Float64Array.from(groups, (start) => {
      const value = (position: number): number => at(x.data, start + at(elements, position));
      let best = 0;
      for (let position = 1; position < elements.length && !Number.isNaN(value(best)); position += 1) {
        // Larger, or NaN.
        if (!(value(position) <= value(best))) best = position;
      }
      return best;
    });
    return [dense('int64', reducedShape(x.shape, [axis], keepdims), data)];
  },
});
