import { Constant, constant } from '../graph/constant.js';
import { isAllKnown } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { add } from '../ops/add.js';
import { exp } from '../ops/exp.js';
import { mul } from '../ops/mul.js';
import { sub } from '../ops/sub.js';
import { eitherWay, hole, op, type Match } from './pattern.js';
import type { Rewrite } from './rewrite.js';

/**
 * `a * (g * p) + b * ((g * h) * (c * exp(-q)))` as `(a * g) * (p + h * exp(log(b * c / a) - q))`, of numbers a, b and c: the gradient of a Gelu, which is an
 * array that is multiplied with what is made of the array, twice. Where g is a product of matrices, engines have `a` in the product.
 */
export const commonFactor: Rewrite = {
  name: 'common factor of a gradient',
  pattern: eitherWay(
    'add',
    eitherWay('mul', eitherWay('mul', hole('g'), hole('p')), hole('a', isNumber)),
    eitherWay(
      'mul',
      eitherWay(
        'mul',
        eitherWay('mul', hole('g'), hole('h')),
        eitherWay('mul', op('exp', op('neg', hole('q'))), hole('c', isNumber)),
      ),
      hole('b', isNumber),
    ),
  ),
  check(match) {
    if (!isOfOneSize(match)) return 'it may broadcast';
    const logarithm = logarithmOf(match);
    return Number.isFinite(logarithm) ? undefined : 'the quotient of its numbers has no logarithm';
  },
  replacement(match) {
    const [g, p, h, q] = [match.of('g'), match.of('p'), match.of('h'), match.of('q')];
    const power = exp(sub(constant(logarithmOf(match), q.dtype), q));
    return mul(mul(g, match.of('a')), add(p, mul(h, power)));
  },
};

function isOfOneSize(match: Match): boolean {
  const { shape } = match.node.output;
  return isAllKnown(shape) && ['g', 'p', 'h', 'q'].every((name) => match.of(name).shape.join() === shape.join());
}

function isNumber(variable: Variable): boolean {
  return variable instanceof Constant && variable.ndim === 0;
}

/** Of the quotient of the two numbers that what is summed is multiplied with. */
function logarithmOf(match: Match): number {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => numberOf(match.of(name)));
  return Math.log((Number(b) * Number(c)) / Number(a));
}

function numberOf(variable: Variable): number {
  if (variable instanceof Constant) return variable.toNumber();
  throw new Error('it is no constant');
}
