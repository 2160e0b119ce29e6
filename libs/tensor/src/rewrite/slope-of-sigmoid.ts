import { abs } from '../ops/abs.js';
import { add } from '../ops/add.js';
import { div } from '../ops/div.js';
import { exp } from '../ops/exp.js';
import { mul } from '../ops/mul.js';
import { neg } from '../ops/neg.js';
import { square } from '../ops/square.js';
import { eitherWay, hole, op } from './pattern.js';
import type { Rewrite } from './rewrite.js';

/** The product with `logistic(x) · logistic(-x)` that the gradient of a sigmoid is, by one exponential in place of four. */
export const slopeOfSigmoid: Rewrite = {
  name: 'slope of a sigmoid',
  pattern: eitherWay(
    'mul',
    eitherWay('mul', hole('gradient'), op('logistic', hole('x'))),
    op('logistic', op('neg', hole('x'))),
  ),
  replacement(match) {
    const power = exp(neg(abs(match.of('x'))));
    return mul(match.of('gradient'), div(power, square(add(power, 1))));
  },
};
