import { at } from '../arrays/at.js';
import type { Variable } from '../graph/variable.js';
import { mul } from '../ops/mul.js';
import { eitherWay, hole, isScalar, op } from './pattern.js';
import type { Rewrite } from './rewrite.js';
import type { View } from './view.js';

/**
 * `y - sum(y) / n` as y, for `y = c * (2 * (x - mean(x)))` with a c that is the same along the axes of sum and mean: what deviates from a mean adds up to 0, but
 * for what rounding leaves of it. The gradient of a variance, as normalization has it. The 2 goes to c, which is smaller.
 */
export const sumOfDeviations: Rewrite = {
  name: 'sum of deviations from a mean',
  pattern: eitherWay('add', hole('y'), op('div', op('neg', hole('total', isSum)), hole('count'))),
  replacement(match) {
    const { view } = match;
    const [y, total] = [match.of('y'), match.of('total')];
    const axes = axesOf(total, view);
    if (axes === undefined || !view.same(at(view.operandsOf('sum', total) ?? [], 0), y)) return undefined;
    const factors = view.operandsOf('mul', y) ?? [];
    for (const [position, c] of factors.entries()) {
      const deviation = doubled(at(factors, 1 - position), view);
      if (deviation === undefined || !isDeviation(deviation, axes, view)) continue;
      if (c.ndim === y.ndim && axes.every((axis) => c.shape[axis] === 1)) return mul(mul(c, 2), deviation);
    }
    return undefined;
  },
};

function isSum(variable: Variable, view: View): boolean {
  return view.operandsOf('sum', variable) !== undefined;
}

/** The axes that a sum or a mean is over, which it keeps; undefined where it does not keep them. */
function axesOf(reduced: Variable, view: View): readonly number[] | undefined {
  const { axis, keepdims } = view.seenThrough(reduced).owner?.op.parameters ?? {};
  return keepdims === true && Array.isArray(axis) ? axis.map(Number) : undefined;
}

/** What a product with 2 is one of; undefined of anything else. */
function doubled(variable: Variable, view: View): Variable | undefined {
  const factors = view.operandsOf('mul', variable) ?? [];
  const two = factors.findIndex((factor) => isScalar(factor, 2));
  return two === -1 ? undefined : factors[1 - two];
}

/** Whether it is an array less its mean over these axes. */
function isDeviation(variable: Variable, axes: readonly number[], view: View): boolean {
  const [x, center] = view.operandsOf('sub', variable) ?? [];
  const [averaged] = (center && view.operandsOf('mean', center)) ?? [];
  if (x === undefined || center === undefined || averaged === undefined) return false;
  return view.same(x, averaged) && axesOf(center, view)?.join() === axes.join();
}
