import { sizeOf } from '@longrun/serialization';

import { fromDense, toDense } from '../arrays/dense-array.js';
import { Constant } from '../graph/constant.js';
import { isAllKnown, isFloat } from '../graph/tensor-type.js';
import { anyOp, type Match } from './pattern.js';
import { placedByScan } from './placed.js';
import type { Rewrite } from './rewrite.js';

/** Elements that a folded constant has at most: larger ones would be stored where they are computed in no time. */
const MOST_ELEMENTS = 256;

/**
 * What is computed of constants alone, as a constant: of ops that every engine computes to the last bit, and where nothing was rounded, as
 * engines round at different places.
 */
export const foldedConstants: Rewrite = {
  name: 'constant',
  pattern: anyOp(),
  check(match) {
    if (!isOfConstants(match)) return undefined;
    const { op, outputs } = match.node;
    if (!EXACT.has(op.name)) return `engines may differ in the last bits of ${op.name}`;
    if (!outputs.every(({ shape }) => isAllKnown(shape) && sizeOf(shape) <= MOST_ELEMENTS)) {
      return `it has more than ${MOST_ELEMENTS} elements`;
    }
    return folded(match) === undefined ? 'it is rounded, is denormal or is no number' : placedByScan(match);
  },
  replacement: (match) => (isOfConstants(match) ? folded(match) : undefined),
};

function isOfConstants({ node: { inputs, outputs, op } }: Match): boolean {
  return (
    inputs.length > 0 &&
    outputs.length === 1 &&
    op.inner === undefined &&
    inputs.every((input) => input instanceof Constant)
  );
}

/** Its value; undefined where it is not exact. */
function folded({ node }: Match): Constant | undefined {
  const values = node.inputs.map((input) => {
    if (!(input instanceof Constant)) throw new Error(`${input.toString()} is no constant`);
    return toDense(input.value);
  });
  const [result] = node.op.run(values, node);
  if (result === undefined) return undefined;
  const rounded = fromDense(result);
  const { dtype } = rounded;
  const isExact = toDense(rounded).data.every((element, position) => Object.is(element, result.data[position]));
  const least = dtype === 'float32' ? 2 ** -126 : 2 ** -1022;
  const isOrdinary = result.data.every(
    (element) => Number.isFinite(element) && (element === 0 || !isFloat(dtype) || Math.abs(element) >= least),
  );
  const isHeld = isFloat(dtype) || result.data.every((element) => Number.isSafeInteger(element));
  return isExact && isOrdinary && isHeld ? new Constant(rounded) : undefined;
}

/** Ops of which IEEE 754, or arithmetic of integers, decides each bit. */
const EXACT: ReadonlySet<string> = new Set([
  'abs',
  'add',
  'and',
  'broadcastTo',
  'cast',
  'concatenate',
  'dimshuffle',
  'div',
  'eq',
  'fill',
  'ge',
  'gt',
  'identity',
  'le',
  'lt',
  'mul',
  'neg',
  'neq',
  'not',
  'or',
  'reshape',
  'slice',
  'sqrt',
  'stopGradient',
  'sub',
  'where',
  'xor',
]);
