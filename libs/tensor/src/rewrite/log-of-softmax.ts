import { logSoftmax } from '../ops/log-softmax.js';
import { hole, op } from './pattern.js';
import type { Rewrite } from './rewrite.js';

/** `log(softmax(x))` is -inf where the softmax underflows; `logSoftmax` is not. */
export const logOfSoftmax: Rewrite = {
  name: 'log of a softmax',
  pattern: op('log', op('softmax', hole('x'))),
  replacement: (match) => logSoftmax(match.of('x')),
};
