import { at } from '../arrays/at.js';
import type { Variable } from '../graph/variable.js';
import { dimshuffle } from '../ops/dimshuffle.js';
import { isFusedByEngines } from './fused-by-engines.js';
import { hole, op } from './pattern.js';
import { placedByScan } from './placed.js';
import type { Rewrite } from './rewrite.js';
import type { View } from './view.js';

/** Axes that are put in order twice, in one; x itself where they are then as they were. */
export const dimshufflesInOne: Rewrite = {
  name: 'dimshuffle of a dimshuffle',
  pattern: op(
    'dimshuffle',
    hole('shuffled', (variable, view) => view.operandsOf('dimshuffle', variable) !== undefined),
  ),
  check(match) {
    const { node, view } = match;
    const x = at(view.operandsOf('dimshuffle', at(node.inputs, 0)) ?? [], 0);
    return isFusedByEngines(x) ? 'an engine may fuse what is shuffled with what uses it' : placedByScan(match, x);
  },
  replacement({ node, view }) {
    const inner = ordered(view, at(node.inputs, 0));
    const outer = orderOf(node.output);
    return dimshuffle(
      inner.x,
      outer.map((axis) => (axis === 'x' ? axis : at(inner.order, axis))),
    );
  },
};

function ordered(view: View, variable: Variable): { readonly x: Variable; readonly order: readonly (number | 'x')[] } {
  const shuffled = view.seenThrough(variable);
  return { x: at(shuffled.owner?.inputs ?? [], 0), order: orderOf(shuffled) };
}

function orderOf({ owner }: Variable): readonly (number | 'x')[] {
  const order = owner?.op.parameters['order'];
  if (!Array.isArray(order)) throw new Error('a dimshuffle has no order');
  return order.map((axis: unknown) => (axis === 'x' ? 'x' : Number(axis)));
}
