import { at } from '../arrays/at.js';
import { gather } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';
import { normalizeAxis, type AxisOptions } from './axis.js';
import { zerosLike } from './fill.js';
import { checkAlongAxis, integerIndices, placesAlongAxis } from './indices.js';
import { putAlongAxis } from './put-along-axis.js';

/**
 * NumPy's `take_along_axis`: `output[i, j] = x[i, indices[i, j]]` along the last axis, and so along any other. The indices have the
 * axes of x, equal in size but for the one; negative ones count from the end, and one out of range is an error when the graph runs.
 */
export function takeAlongAxis(x: Variable, indices: Variable, options: AxisOptions = {}): Variable {
  checkArguments(
    'takeAlongAxis',
    ['x', x, 'variable'],
    ['indices', indices, 'variable'],
    ['options', options, 'options'],
  );
  const axis = normalizeAxis('takeAlongAxis', x, options.axis ?? -1);
  return applyOp(takeAlongAxisOp({ axis }), [x, integerIndices('takeAlongAxis', x, indices)]);
}

/** The op of {@link takeAlongAxis}. */
export const takeAlongAxisOp = defineOp({
  name: 'takeAlongAxis',
  inferTypes(inputs, { axis }: { readonly axis: number }) {
    const [x, indices] = [at(inputs, 0), at(inputs, 1)];
    return [{ dtype: x.dtype, shape: checkAlongAxis('takeAlongAxis', x, indices, axis) }];
  },
  grad(node, outputGradients, { axis }) {
    const [x, indices] = [at(node.inputs, 0), at(node.inputs, 1)];
    const gradient = onlyGradient(node, outputGradients);
    return [putAlongAxis(zerosLike(x), indices, gradient, { axis, mode: 'add' }), DISCONNECTED];
  },
  run(inputs, node, { axis }) {
    const [x, indices] = [at(inputs, 0), at(inputs, 1)];
    return [gather(x, indices.shape, placesAlongAxis(node, x.shape, indices, axis))];
  },
});
