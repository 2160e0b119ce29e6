import { at } from '../arrays/at.js';
import { checkArguments } from '../graph/arguments.js';
import { TensorTypeError, isKnown } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { normalizeAxes } from './axis.js';
import { dimshuffle } from './dimshuffle.js';

/** Options of {@link squeeze}. */
export interface SqueezeOptions {
  /** The axis or axes to drop; negative ones count from the end. Default: all of static size 1. */
  readonly axis?: number | readonly number[];
}

/** x without axes of size 1; their size must be known when the graph is built. */
export function squeeze(x: Variable, options: SqueezeOptions = {}): Variable {
  checkArguments('squeeze', ['x', x, 'variable'], ['options', options, 'options']);
  const { axis } = options;
  const dropped =
    axis === undefined ? x.shape.flatMap((dim, own) => (dim === 1 ? [own] : [])) : normalizeAxes('squeeze', x, axis);
  for (const one of dropped) {
    const dim = at(x.shape, one);
    if (dim === 1) continue;
    throw new TensorTypeError(
      `squeeze: axis ${one} of ${describe(x)} ${isKnown(dim) ? 'has not' : 'is not known to have'} the size 1; only such an axis can be dropped, and one element of another is taken by index(x, 0, { axis: ${one} })`,
    );
  }
  return dimshuffle(
    x,
    x.shape.flatMap((_, own) => (dropped.includes(own) ? [] : [own])),
  );
}
