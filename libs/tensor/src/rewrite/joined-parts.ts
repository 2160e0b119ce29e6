import { at } from '../arrays/at.js';
import { Constant } from '../graph/constant.js';
import { formatShape, isKnown } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { concatenate } from '../ops/concatenate.js';
import { oneOfOps } from './pattern.js';
import type { Rewrite } from './rewrite.js';
import type { View } from './view.js';

/**
 * Sums of parts of an array, each with zeros around it, that fill it without overlap, as the parts one after another: the gradient of an array that was
 * split. A -0 in a part stays, which the sum makes a 0.
 */
export const joinedParts: Rewrite = {
  name: 'parts joined in place of a sum',
  pattern: oneOfOps('add'),
  replacement({ node, view }) {
    const parts = partsOf(node.output, view);
    const [first] = parts ?? [];
    if (parts === undefined || first === undefined || parts.some(({ axis }) => axis !== first.axis)) return undefined;
    const inOrder = parts.toSorted((a, b) => a.start - b.start);
    let end = 0;
    for (const { start, size } of inOrder) {
      if (start !== end) return undefined;
      end += size;
    }
    if (end !== node.output.shape[first.axis]) return undefined;
    return concatenate(
      inOrder.map(({ part }) => part),
      first.axis,
    );
  },
};

/** A part of an array along an axis, and zeros elsewhere. */
interface Part {
  readonly part: Variable;
  readonly axis: number;
  readonly start: number;
  readonly size: number;
}

/** What a sum is made of, where that is parts alone, of known places; undefined where it is not. */
function partsOf(sum: Variable, view: View): Part[] | undefined {
  const found: Part[] = [];
  const waiting = [sum];
  for (let variable = waiting.pop(); variable !== undefined; variable = waiting.pop()) {
    const owner = view.ownerOf(view.seenThrough(variable));
    // Each is as large as the sum: nothing broadcasts.
    if (formatShape(variable.shape) !== formatShape(sum.shape) || found.length > MOST_PARTS) return undefined;
    if (owner?.op.name === 'add') {
      waiting.push(...owner.inputs);
      continue;
    }
    const part = owner?.inputs[0];
    const start = owner?.inputs[2];
    const axis = owner?.op.parameters['axis'];
    if (owner?.op.name !== 'unslice' || part === undefined || typeof axis !== 'number') return undefined;
    const size = at(part.shape, axis);
    if (!(start instanceof Constant) || !isKnown(size)) return undefined;
    found.push({ part, axis, start: start.toNumber(), size });
  }
  return found;
}

/** A longer sum is not looked at: it would be again and again, at each of its ends. */
const MOST_PARTS = 64;
