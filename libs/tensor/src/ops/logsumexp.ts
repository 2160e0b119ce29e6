import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { toFloat } from './cast.js';
import { div } from './div.js';
import { eq } from './eq.js';
import { exp } from './exp.js';
import { mul } from './mul.js';
import { reduce, reduction, type ReductionOptions } from './reduction.js';
import { sub } from './sub.js';
import { sum } from './sum.js';
import { where } from './where.js';

/** `log(sum(exp(x)))` over axes, without overflow; -Infinity over an empty axis. Integers are cast to floats first. */
export function logsumexp(x: Variable, options: ReductionOptions = {}): Variable {
  checkArguments('logsumexp', ['x', x, 'variable'], ['options', options, 'options']);
  return reduce(logsumexpOp, toFloat(x), options);
}

/** The op of {@link logsumexp}. */
export const logsumexpOp = reduction('logsumexp', {
  compute(elements) {
    const largest = elements.reduce((sofar, element) => Math.max(sofar, element), -Infinity);
    const shift = Number.isFinite(largest) ? largest : 0;
    return shift + Math.log(elements.reduce((total, element) => total + Math.exp(element - shift), 0));
  },
  gradient(gradient, x, output, axes) {
    // Where all elements are -Infinity, differences would be NaN.
    const isNothing = eq(output, -Infinity);
    const powers = exp(sub(x, where(isNothing, 0, output)));
    // 1 but for what the output was rounded by, which is much where it is large.
    const total = where(isNothing, 1, sum(powers, { axis: axes, keepdims: true }));
    return mul(gradient, div(powers, total));
  },
});
