import { at } from '../arrays/at.js';
import { dense, wrapInteger } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import type { InputGradient } from '../graph/gradient-flow.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';
import { normalizeAxis } from './axis.js';
import { cast } from './cast.js';
import { groupsOf, sumDtype } from './reduction.js';
import { flatten } from './reshape.js';

/** Options of the ops that accumulate. */
export interface CumulativeOptions {
  /** The axis along which is accumulated. Default: along the flattened array, as NumPy does. */
  readonly axis?: number;
}

/** NumPy's `cumsum`: `output[i] = x[0] + ... + x[i]` along an axis. Integers and bools are summed as int64. */
export function cumsum(x: Variable, options: CumulativeOptions = {}): Variable {
  checkArguments('cumsum', ['x', x, 'variable'], ['options', options, 'options']);
  if (options.axis === undefined) return cumsum(flatten(x), { axis: 0 });
  const axis = normalizeAxis('cumsum', x, options.axis);
  return applyOp(cumsumOp({ axis, reverse: false }), [cast(x, sumDtype(x.dtype))]);
}

/** The op of {@link cumsum}; `reverse` sums from the end. */
export const cumsumOp = defineOp({
  name: 'cumsum',
  inferTypes: (inputs, _parameters: { readonly axis: number; readonly reverse: boolean }) => [at(inputs, 0).type],
  grad: (node, outputGradients, { axis, reverse }): InputGradient[] => [
    applyOp(cumsumOp({ axis, reverse: !reverse }), [onlyGradient(node, outputGradients)]),
  ],
  run(inputs, _node, { axis, reverse }) {
    const x = at(inputs, 0);
    const { groups, elements } = groupsOf(x.shape, [axis]);
    const data = new Float64Array(x.data.length);
    const order = reverse ? elements.toReversed() : elements;
    for (const start of groups) {
      let total = 0;
      for (const offset of order) {
        total += at(x.data, start + offset);
        data[start + offset] = total;
      }
    }
    return [dense(x.dtype, x.shape, wrapInteger(x.dtype, data))];
  },
});
