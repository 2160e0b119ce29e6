import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { fill } from './fill.js';
import { reduce, reduction, sumDtype, type ReductionOptions } from './reduction.js';

/** Sum over axes; 0 over an empty axis. Integers and bools are summed in int64, as NumPy does. */
export function sum(x: Variable, options: ReductionOptions = {}): Variable {
  checkArguments('sum', ['x', x, 'variable'], ['options', options, 'options']);
  return reduce(sumOp, cast(x, sumDtype(x.dtype)), options);
}

/** The op of {@link sum}. */
export const sumOp = reduction('sum', {
  compute: (elements) => elements.reduce((total, element) => total + element, 0),
  gradient: (gradient, x) => fill(x, gradient),
});
