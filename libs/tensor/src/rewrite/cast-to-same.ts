import { at } from '../arrays/at.js';
import type { Apply } from '../graph/apply.js';
import { oneOfOps } from './pattern.js';
import { placedByScan } from './placed.js';
import type { Rewrite } from './rewrite.js';

/** A cast to the dtype that its operand has, as `replace` may leave it. */
export const castToSame: Rewrite = {
  name: 'cast to the same dtype',
  pattern: oneOfOps('cast'),
  check: (match) => (isToSame(match.node) ? placedByScan(match, at(match.node.inputs, 0)) : undefined),
  replacement: ({ node }) => (isToSame(node) ? at(node.inputs, 0) : undefined),
};

function isToSame({ inputs, output }: Apply): boolean {
  return at(inputs, 0).dtype === output.dtype;
}
