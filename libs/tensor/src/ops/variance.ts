import { checkArguments, checkOption } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { normalizeAxes } from './axis.js';
import { cast, toFloat } from './cast.js';
import { elementCount } from './dimension.js';
import { div } from './div.js';
import { maximum } from './maximum.js';
import { mean } from './mean.js';
import type { ReductionOptions } from './reduction.js';
import { sqrt } from './sqrt.js';
import { square } from './square.js';
import { sub } from './sub.js';
import { sum } from './sum.js';

/** Options of {@link variance} and {@link std}. */
export interface VarianceOptions extends ReductionOptions {
  /** What is subtracted from the number of elements by which the squares are divided: 1 for a sample of something larger. Default 0. */
  readonly ddof?: number;
}

/** Mean of the squared deviations from the mean, over axes; NaN over an empty axis. Integers and bools as in {@link mean}. */
export function variance(x: Variable, options: VarianceOptions = {}): Variable {
  checkArguments('variance', ['x', x, 'variable'], ['options', options, 'options']);
  checkOption('variance', 'ddof', options.ddof, 'number');
  const { ddof = 0, keepdims = false } = options;
  const axis = normalizeAxes('variance', x, options.axis);
  const float = toFloat(x);
  const squares = square(sub(float, mean(float, { axis, keepdims: true })));
  const count = elementCount(x, axis);
  const divisor =
    typeof count === 'number' ? Math.max(count - ddof, 0) : maximum(sub(cast(count, float.dtype), ddof), 0);
  return div(sum(squares, { axis, keepdims }), divisor);
}

/** Standard deviation over axes: the square root of {@link variance}. Where it is 0, its gradient is NaN. */
export function std(x: Variable, options: VarianceOptions = {}): Variable {
  checkArguments('std', ['x', x, 'variable'], ['options', options, 'options']);
  checkOption('std', 'ddof', options.ddof, 'number');
  return sqrt(variance(x, { ...options, axis: normalizeAxes('std', x, options.axis) }));
}
