import { at } from '../arrays/at.js';
import { checkArguments } from '../graph/arguments.js';
import { isKnown, TensorTypeError, type Dim } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { normalizeAxis } from './axis.js';
import { broadcastTo } from './broadcast-to.js';
import { dimensions } from './dimension.js';
import { dimshuffle } from './dimshuffle.js';
import { mul } from './mul.js';
import { flatten, reshape } from './reshape.js';

/** Options of {@link repeat}. */
export interface RepeatOptions {
  /** The axis along which elements are repeated. Default: x is flattened first, as NumPy does. */
  readonly axis?: number;
}

/** NumPy's `repeat`: each element of an axis so many times in a row. `repeats` is a number or an integer scalar. */
export function repeat(x: Variable, repeats: number | Variable, options: RepeatOptions = {}): Variable {
  checkArguments('repeat', ['x', x, 'variable'], ['repeats', repeats, 'size'], ['options', options, 'options']);
  if (options.axis === undefined) return repeat(flatten(x), repeats, { axis: 0 });
  const axis = normalizeAxis('repeat', x, options.axis);
  return copies(
    'repeat',
    x,
    x.shape.map((_, own) => (own === axis ? repeats : 1)),
    'elements',
  );
}

/**
 * NumPy's `tile`: x side by side with itself so many times along each axis. Fewer counts than axes are those of the last axes; more
 * give x new axes in front. Each is a number or an integer scalar.
 */
export function tile(x: Variable, repeats: readonly (number | Variable)[]): Variable {
  checkArguments('tile', ['x', x, 'variable'], ['repeats', repeats, 'sizes']);
  const missing = Math.max(0, repeats.length - x.ndim);
  const order = [...Array.from({ length: missing }, () => 'x' as const), ...x.shape.map((_, axis) => axis)];
  const counts = [...Array.from({ length: Math.max(0, x.ndim - repeats.length) }, () => 1), ...repeats];
  return copies('tile', dimshuffle(x, order), counts, 'whole');
}

/** x with each axis repeated, its elements one by one or as a whole: stretched along an axis beside it, then joined with that. */
function copies(
  opName: string,
  x: Variable,
  counts: readonly (number | Variable)[],
  what: 'elements' | 'whole',
): Variable {
  for (const count of counts) {
    if (typeof count !== 'number' || count >= 0) continue;
    throw new TensorTypeError(
      `${opName}: ${describe(x)} cannot be repeated ${count} times; give an integer of 0 or more`,
    );
  }
  const pair = <T>(own: T, copy: T): T[] => (what === 'elements' ? [own, copy] : [copy, own]);
  const repeated = counts.map((count) => count !== 1);
  const sizes = dimensions(x);
  const stretched = broadcastTo(
    dimshuffle(
      x,
      x.shape.flatMap((_, axis): (number | 'x')[] => (at(repeated, axis) ? pair<number | 'x'>(axis, 'x') : [axis])),
    ),
    sizes.flatMap((size, axis) => (at(repeated, axis) ? pair<number | Variable>(size, at(counts, axis)) : [size])),
  );
  return reshape(
    stretched,
    x.shape.map((dim, axis) => product(dim, at(sizes, axis), at(counts, axis))),
  );
}

function product(known: Dim, size: Variable, count: number | Variable): number | Variable {
  if (count === 1) return size;
  return isKnown(known) && typeof count === 'number' ? known * count : mul(size, count);
}
