import { isFusedByEngines } from './fused-by-engines.js';
import { hole, op } from './pattern.js';
import { placedByScan } from './placed.js';
import type { Rewrite } from './rewrite.js';

/** `-(-x)` is x, of zeros and NaN too. */
export const doubleNegation: Rewrite = {
  name: 'double negation',
  pattern: op('neg', op('neg', hole('x'))),
  check: (match) =>
    isFusedByEngines(match.of('x'))
      ? 'an engine may fuse what is negated with what uses it'
      : placedByScan(match, match.of('x')),
  replacement: (match) => match.of('x'),
};
