import { isKnown, isAllKnown } from '../graph/tensor-type.js';
import { applyOp } from '../graph/apply.js';
import { Constant } from '../graph/constant.js';
import type { Variable } from '../graph/variable.js';
import { isNextToProduct, isReciprocal } from './fused-by-engines.js';
import { oneOfOps } from './pattern.js';
import type { Rewrite } from './rewrite.js';
import type { View } from './view.js';

/**
 * A number, or a column, in place of an array that is filled with it, where an op broadcasts it beside another operand of the size of the array: the
 * gradients of means and sums.
 */
export const filledOperands: Rewrite = {
  name: 'filled operand',
  pattern: oneOfOps('add', 'div', 'mul', 'sub'),
  check({ node, view }) {
    const values = node.inputs.flatMap((input) => spreadIn(input, view) ?? []);
    if (values.some((value) => isReciprocal(value) || isNeutral(value)))
      return 'an engine may leave out what is filled';
    const isFused = values.length > 0 && [...node.inputs, ...values].some(isNextToProduct);
    return isFused ? 'an engine may fuse it with a product' : undefined;
  },
  replacement({ node, view }) {
    const { shape } = node.output;
    if (!isAllKnown(shape)) return undefined;
    const isWhole = ({ shape: sizes }: Variable): boolean => sizes.join() === shape.join();
    const values = node.inputs.map((input) => (isWhole(input) ? spreadIn(input, view) : undefined));
    // One operand has to have the size.
    const other = values.indexOf(undefined);
    if (values.every((value) => value === undefined) || other === -1 || !isWhole(node.inputs[other] ?? node.output))
      return undefined;
    return applyOp(
      node.op,
      node.inputs.map((input, position) => values[position] ?? input),
    );
  },
};

/** What an array is filled with, where that is one number, or one for each row along the last axis. */
function spreadIn(variable: Variable, view: View): Variable | undefined {
  const [, value] = view.operandsOf('fill', variable) ?? [];
  if (value === undefined) return undefined;
  const isColumn = value.ndim === variable.ndim && value.shape.every(isKnown) && value.shape.at(-1) === 1;
  return value.ndim === 0 || isColumn ? value : undefined;
}

function isNeutral(value: Variable): boolean {
  return (
    value instanceof Constant && value.value.data.every((element) => Number(element) === 0 || Number(element) === 1)
  );
}
