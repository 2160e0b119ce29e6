import { at } from '../arrays/at.js';
import { checkArguments } from '../graph/arguments.js';
import { TensorTypeError, isKnown } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { normalizeAxis } from './axis.js';
import { dimension } from './dimension.js';
import { reshape } from './reshape.js';
import { slice } from './slice.js';

/**
 * x cut into parts of the given sizes along one axis, 0 by default: what `concatenate` would join again. The sizes must add up to that
 * of the axis; where only the data tell it, it is an error when the graph runs.
 */
export function split(x: Variable, sizes: readonly number[], axis = 0): Variable[] {
  checkArguments('split', ['x', x, 'variable'], ['sizes', sizes, 'integers']);
  const own = normalizeAxis('split', x, axis);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const size = at(x.shape, own);
  if (sizes.some((one) => !Number.isInteger(one) || one < 0) || (isKnown(size) && size !== total)) {
    throw new TensorTypeError(
      `split: ${describe(x)} cannot be cut into [${sizes.join(', ')}] along axis ${own}; give sizes of 0 or more that add up to that of the axis`,
    );
  }
  let start = 0;
  return sizes.map((one, position) => {
    const last = position === sizes.length - 1;
    const part = slice(x, start, last ? null : start + one, { axis: own });
    start += one;
    // A reshape, because a slice that ends early says nothing.
    return isKnown(size)
      ? part
      : reshape(
          part,
          x.shape.map((_, axisOf) => (axisOf === own ? one : dimension(x, axisOf))),
        );
  });
}
