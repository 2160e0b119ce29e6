import { logistic } from '../ops/logistic.js';
import { negated } from './negated.js';
import { hole, op, scalarOf } from './pattern.js';
import type { Rewrite } from './rewrite.js';

/** `1 - sigmoid(x)` as `sigmoid(-x)`, which loses nothing where the sigmoid is near 1. */
export const complementOfSigmoid: Rewrite = {
  name: 'complement of a sigmoid',
  pattern: op('sub', scalarOf(1), op('logistic', hole('x'))),
  replacement: (match) => logistic(negated(match.of('x'), match.view)),
};
