import type { Variable } from '../graph/variable.js';
import { mul } from '../ops/mul.js';
import { eitherWay, hole, op, scalarOf } from './pattern.js';
import type { Rewrite } from './rewrite.js';

/** The gradient of a sum or a mean of squares, `filled(n) * (z * 2)` of a number n, in one product: `(n * 2) * z`. */
export const slopeOfSquares: Rewrite = {
  name: 'slope of squares',
  pattern: eitherWay(
    'mul',
    op('fill', op('square', hole('z')), hole('number', isNumber)),
    eitherWay('mul', hole('z'), scalarOf(2)),
  ),
  replacement: (match) => mul(mul(match.of('number'), 2), match.of('z')),
};

/** Whether it has one element, also where it has axes. */
function isNumber({ shape }: Variable): boolean {
  return shape.every((size) => size === 1);
}
