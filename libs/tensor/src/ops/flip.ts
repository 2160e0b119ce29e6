import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { normalizeAxes } from './axis.js';
import { slice } from './slice.js';

/** Options of {@link flip}. */
export interface FlipOptions {
  /** The axis or axes to reverse; negative ones count from the end. Default: all of them. */
  readonly axis?: number | readonly number[];
}

/** x with the elements of one axis or several in reverse order. */
export function flip(x: Variable, options: FlipOptions = {}): Variable {
  checkArguments('flip', ['x', x, 'variable'], ['options', options, 'options']);
  return normalizeAxes('flip', x, options.axis).reduce(
    (flipped, axis) => slice(flipped, null, null, { axis, step: -1 }),
    x,
  );
}
