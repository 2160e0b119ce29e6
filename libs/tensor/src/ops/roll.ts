import { at } from '../arrays/at.js';
import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { isKnown } from '../graph/tensor-type.js';
import { normalizeAxis } from './axis.js';
import { cast } from './cast.js';
import { concatenate } from './concatenate.js';
import { dimension, dimensions } from './dimension.js';
import { mod } from './division.js';
import { maximum } from './maximum.js';
import { neg } from './neg.js';
import { flatten, reshape } from './reshape.js';
import { slice } from './slice.js';

/** Options of {@link roll}. */
export interface RollOptions {
  /** The axis along which elements move. Default: along the flattened array, as NumPy does. */
  readonly axis?: number;
}

/**
 * NumPy's `roll`: the elements moved `shift` places on, an integer or an integer scalar, those beyond the end coming in at the start;
 * back where it is negative.
 */
export function roll(x: Variable, shift: number | Variable, options: RollOptions = {}): Variable {
  checkArguments('roll', ['x', x, 'variable'], ['shift', shift, 'size'], ['options', options, 'options']);
  if (options.axis === undefined) {
    const sizes = dimensions(x);
    return reshape(roll(flatten(x), shift, { axis: 0 }), sizes);
  }
  const axis = normalizeAxis('roll', x, options.axis);
  const cut = cutOf(x, shift, axis);
  return concatenate([slice(x, cut, null, { axis }), slice(x, 0, cut, { axis })], axis);
}

/** Where the axis is cut: the elements from there on come first. */
function cutOf(x: Variable, shift: number | Variable, axis: number): number | Variable {
  const size = at(x.shape, axis);
  if (typeof shift === 'number' && isKnown(size)) return size === 0 ? 0 : ((-shift % size) + size) % size;
  const back = typeof shift === 'number' ? -shift : neg(cast(shift, 'int64'));
  return mod(back, maximum(dimension(x, axis), 1));
}
