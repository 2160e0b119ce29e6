import { at } from '../arrays/at.js';
import type { Apply } from '../graph/apply.js';
import { isKnown } from '../graph/tensor-type.js';
import { sizeTold } from '../ops/told-size.js';
import { isFusedByEngines } from './fused-by-engines.js';
import { oneOfOps } from './pattern.js';
import { placedByScan } from './placed.js';
import type { Rewrite } from './rewrite.js';

/** A reshape to the shape that its operand has. */
export const reshapeToSame: Rewrite = {
  name: 'reshape to the same shape',
  pattern: oneOfOps('reshape'),
  check(match) {
    const { node } = match;
    const x = at(node.inputs, 0);
    if (!isToSame(node)) return undefined;
    return isFusedByEngines(x) ? 'an engine may fuse what is reshaped with what uses it' : placedByScan(match, x);
  },
  replacement: ({ node }) => (isToSame(node) ? at(node.inputs, 0) : undefined),
};

/** Whether each size is known to be that of the operand, or is taken of it. */
function isToSame({ inputs, output, op }: Apply): boolean {
  const [x, ...given] = [at(inputs, 0), ...inputs.slice(1)];
  if (x.ndim !== output.ndim) return false;
  const sizes = op.parameters['shape'];
  if (!Array.isArray(sizes)) return false;
  let next = 0;
  return x.shape.every((dim, axis) => {
    const told = sizes[axis] === 'input' ? sizeTold(at(given, next)) : undefined;
    if (sizes[axis] === 'input') next += 1;
    return isKnown(dim) ? dim === output.shape[axis] : told?.of === x && told.axis === axis;
  });
}
