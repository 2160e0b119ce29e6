import { at } from '../arrays/at.js';
import { Apply } from '../graph/apply.js';
import type { Variable } from '../graph/variable.js';
import { branchesOf, ifElseOp } from '../ops/if-else.js';
import { neededInside, type NeededInside } from './needed-inside.js';
import { oneOfOps, type Match } from './pattern.js';
import type { Rewrite } from './rewrite.js';

/** Results of a choice that nothing needs, and what they are computed from. */
export const deadCodeInIfElse: Rewrite = {
  name: 'dead code in a choice',
  pattern: oneOfOps('ifElse'),
  check: (match) => remains(match)?.reason,
  replacement(match) {
    const [left, { node }] = [remains(match), match];
    const { inner } = node.op;
    if (left === undefined || inner === undefined) return undefined;
    const kept = inner.inputs.flatMap((input, position) => (left.inputs.has(input) ? [position] : []));
    const op = ifElseOp({ inputs: kept.map((position) => at(inner.inputs, position)), outputs: left.outputs });
    const again = new Apply(op, [at(node.inputs, 0), ...kept.map((position) => at(node.inputs, position + 1))]);
    return node.outputs.map((_, output) =>
      left.positions.includes(output) ? again.outputAt(left.positions.indexOf(output)) : undefined,
    );
  },
};

/** What is left of the branches; undefined where that is all of them. */
function remains({
  node,
  old,
  view,
}: Match): (NeededInside & { outputs: Variable[]; positions: number[] }) | undefined {
  const { inner } = node.op;
  if (inner === undefined) return undefined;
  const positions = node.outputs.flatMap((_, position) => (view.isUsed(at(old.outputs, position)) ? [position] : []));
  const { ifTrue, ifFalse } = branchesOf(inner.outputs);
  const outputs = [ifTrue, ifFalse].flatMap((branch) => positions.map((position) => at(branch, position)));
  const needed = neededInside(inner, outputs);
  const isAll = positions.length === node.outputs.length && inner.inputs.every((input) => needed.inputs.has(input));
  return isAll ? undefined : { ...needed, outputs, positions };
}
