import { at } from '../arrays/at.js';
import { oneOfOps } from './pattern.js';
import type { Rewrite } from './rewrite.js';

/** A cast to the dtype that its operand has, as `replace` may leave it. */
export const castToSame: Rewrite = {
  name: 'cast to the same dtype',
  pattern: oneOfOps('cast'),
  replacement({ node }) {
    const x = at(node.inputs, 0);
    return x.dtype === node.output.dtype ? x : undefined;
  },
};
