import { neg } from '../ops/neg.js';
import { softplus } from '../ops/softplus.js';
import { negated } from './negated.js';
import { hole, op } from './pattern.js';
import type { Rewrite } from './rewrite.js';

/** `log(sigmoid(x))` as `-softplus(-x)`, which stays finite. */
export const logOfSigmoid: Rewrite = {
  name: 'log of a sigmoid',
  pattern: op('log', op('logistic', hole('x'))),
  replacement: (match) => neg(softplus(negated(match.of('x'), match.view))),
};
