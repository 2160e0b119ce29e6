import { at } from '../arrays/at.js';
import { oneOfOps } from './pattern.js';
import type { Rewrite } from './rewrite.js';

/** What gives its operand as it is: once there are gradients, nothing needs it. */
export const identities: Rewrite = {
  name: 'identity',
  pattern: oneOfOps('identity', 'stopGradient'),
  replacement: ({ node }) => at(node.inputs, 0),
};
