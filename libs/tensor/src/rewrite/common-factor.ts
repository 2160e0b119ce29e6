import { Constant, constant } from '../graph/constant.js';
import { isAllKnown } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { add } from '../ops/add.js';
import { mul } from '../ops/mul.js';
import { eitherWay, hole, type Match } from './pattern.js';
import type { Rewrite } from './rewrite.js';

/**
 * `a * (g * p) + b * ((g * h) * (c * e))` as `g * (a * p + (b * c) * (h * e))`, of numbers a, b and c: the gradient of a Gelu, which is an array that is multiplied with
 * what is made of the array, twice.
 */
export const commonFactor: Rewrite = {
  name: 'common factor of a gradient',
  pattern: eitherWay(
    'add',
    eitherWay('mul', eitherWay('mul', hole('g'), hole('p')), hole('a', isNumber)),
    eitherWay(
      'mul',
      eitherWay('mul', eitherWay('mul', hole('g'), hole('h')), eitherWay('mul', hole('e'), hole('c', isNumber))),
      hole('b', isNumber),
    ),
  ),
  check: (match) => (isOfOneSize(match) ? undefined : 'it may broadcast'),
  replacement(match) {
    const [g, p, h, e] = [match.of('g'), match.of('p'), match.of('h'), match.of('e')];
    const both = constant(numberOf(match.of('b')) * numberOf(match.of('c')), g.dtype);
    return mul(g, add(mul(p, match.of('a')), mul(mul(h, e), both)));
  },
};

function isOfOneSize(match: Match): boolean {
  const { shape } = match.node.output;
  return isAllKnown(shape) && ['g', 'p', 'h', 'e'].every((name) => match.of(name).shape.join() === shape.join());
}

function isNumber(variable: Variable): boolean {
  return variable instanceof Constant && variable.ndim === 0;
}

function numberOf(variable: Variable): number {
  if (variable instanceof Constant) return variable.toNumber();
  throw new Error('it is no constant');
}
