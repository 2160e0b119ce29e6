import { at } from '../arrays/at.js';
import { checkArguments } from '../graph/arguments.js';
import { TensorTypeError, isKnown } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { arange } from './arange.js';
import { argsort } from './argsort.js';
import { normalizeAxis } from './axis.js';
import { take } from './take.js';
import { takeAlongAxis } from './take-along-axis.js';

/** Options of {@link topK}. */
export interface TopKOptions {
  /** Negative ones count from the end. Default: the last. */
  readonly axis?: number;
  /** False for the smallest. Default true. */
  readonly largest?: boolean;
}

/**
 * The k largest elements of an axis, from the largest down, and their int64 indices, of equal ones the first; NaN counts as larger than
 * all else. Fewer elements than k are an error, when the graph is built where their number is known.
 */
export function topK(x: Variable, k: number, options: TopKOptions = {}): [values: Variable, indices: Variable] {
  checkArguments('topK', ['x', x, 'variable'], ['k', k, 'integer'], ['options', options, 'options']);
  const axis = normalizeAxis('topK', x, options.axis ?? -1);
  const size = at(x.shape, axis);
  if (k < 0 || (isKnown(size) && k > size)) {
    throw new TensorTypeError(`topK: axis ${axis} of ${describe(x)} has no ${k} elements; give 0 to its size`);
  }
  const order = argsort(x, { axis, descending: options.largest ?? true });
  // Taken and not cut: a slice of too few elements says nothing.
  const indices = take(order, arange(0, k), { axis });
  return [takeAlongAxis(x, indices, { axis }), indices];
}
