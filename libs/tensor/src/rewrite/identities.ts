import { at } from '../arrays/at.js';
import { oneOfOps } from './pattern.js';
import { placedByScan } from './placed.js';
import type { Rewrite } from './rewrite.js';

/** What gives its operand as it is: once there are gradients, nothing needs it. */
export const identities: Rewrite = {
  name: 'identity',
  pattern: oneOfOps('identity', 'stopGradient'),
  check: (match) => placedByScan(match, at(match.node.inputs, 0)),
  replacement: ({ node }) => at(node.inputs, 0),
};
