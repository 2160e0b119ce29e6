import { applyOp } from '../graph/apply.js';
import { neg } from '../ops/neg.js';
import { hole, op } from './pattern.js';
import type { Rewrite } from './rewrite.js';

/** The sum over axes of what is negated is the sum, negated. Where that is 0, it may have the other sign. */
export const negatedSum: Rewrite = {
  name: 'sum over what is negated',
  pattern: op('sum', op('neg', hole('x'))),
  replacement: (match) => neg(applyOp(match.node.op, [match.of('x')])),
};
