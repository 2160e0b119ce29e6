import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { normalizeAxis } from './axis.js';
import { cast } from './cast.js';
import { concatenate } from './concatenate.js';
import type { CumulativeOptions } from './cumsum.js';
import { zerosLike } from './fill.js';
import { recurrence } from './recurrence.js';
import { sumDtype } from './reduction.js';
import { flatten } from './reshape.js';
import { slice } from './slice.js';

/**
 * NumPy's `cumprod`: `output[i] = x[0] * ... * x[i]` along an axis. Integers and bools are multiplied as int64. The gradient is right where
 * there are zeros too.
 */
export function cumprod(x: Variable, options: CumulativeOptions = {}): Variable {
  checkArguments('cumprod', ['x', x, 'variable'], ['options', options, 'options']);
  if (options.axis === undefined) return cumprod(flatten(x), { axis: 0 });
  const axis = normalizeAxis('cumprod', x, options.axis);
  const elements = cast(x, sumDtype(x.dtype));
  const [first, rest] = [slice(elements, 0, 1, { axis }), slice(elements, 1, null, { axis })];
  const factors = concatenate([zerosLike(first), rest], axis);
  const terms = concatenate([first, zerosLike(rest)], axis);
  return recurrence(factors, terms, { axis, reverse: false });
}
