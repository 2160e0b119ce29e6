import { logSoftmax } from '../ops/log-softmax.js';
import { pick } from '../ops/pick.js';
import { hole, op } from './pattern.js';
import type { Rewrite } from './rewrite.js';

/** The same of the elements that labels pick: the cross-entropy of a softmax. */
export const logOfPickedSoftmax: Rewrite = {
  name: 'log of a picked softmax',
  pattern: op('log', op('pick', op('softmax', hole('x')), hole('labels'))),
  replacement: (match) => pick(logSoftmax(match.of('x')), match.of('labels')),
};
