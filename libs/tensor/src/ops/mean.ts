import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { cast, toFloat } from './cast.js';
import { elementCount } from './dimension.js';
import { div } from './div.js';
import { fill } from './fill.js';
import { reduce, reduction, type ReductionOptions } from './reduction.js';

/** Mean over axes; NaN over an empty axis. Bools and narrow integers are averaged in float32, 32 and 64-bit integers in float64. */
export function mean(x: Variable, options: ReductionOptions = {}): Variable {
  checkArguments('mean', ['x', x, 'variable'], ['options', options, 'options']);
  return reduce(meanOp, toFloat(x), options);
}

/** The op of {@link mean}. */
export const meanOp = reduction('mean', {
  compute: (elements) => elements.reduce((total, element) => total + element, 0) / elements.length,
  gradient: (gradient, x, _output, axes) => fill(x, div(gradient, countOf(x, axes))),
});

function countOf(x: Variable, axes: readonly number[]): Variable | number {
  const count = elementCount(x, axes);
  return typeof count === 'number' ? count : cast(count, x.dtype);
}
