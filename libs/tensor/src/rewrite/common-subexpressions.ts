import { Constant } from '../graph/constant.js';
import { isWatched } from '../inspection/tap.js';
import { isProduct, isReciprocal } from './fused-by-engines.js';
import { anyOp } from './pattern.js';
import { placedByScan } from './placed.js';
import type { Rewrite } from './rewrite.js';

/** What is computed in the same way as something before it: it is that. */
export const commonSubexpressions: Rewrite = {
  name: 'common subexpression',
  pattern: anyOp(),
  check(match) {
    const { node, view } = match;
    const twin = view.twinOf(node);
    if (twin === undefined) return undefined;
    if (node.op.name.startsWith('random')) return 'it is drawn';
    if (node.outputs.some(isWatched)) return 'it is tapped';
    // Nothing says to which of the graphs within one another it belongs.
    if (node.inputs.every((input) => input instanceof Constant)) return 'it is made of constants alone';
    const isOfConstant = node.inputs.some((input) => input instanceof Constant);
    if (node.outputs.some((output) => isReciprocal(output) || (isOfConstant && isProduct(output)))) {
      return 'ONNX Runtime goes by how often it is used';
    }
    return placedByScan(
      match,
      twin.outputs.find((output) => view.isRow(output)),
    );
  },
  replacement: ({ node, view }) => view.twinOf(node)?.outputs,
};
