import { at } from '../arrays/at.js';
import { Apply } from '../graph/apply.js';
import type { Variable } from '../graph/variable.js';
import { scanInputs } from '../ops/scan-inputs.js';
import { scanOp } from '../ops/scan-op.js';
import { neededInside } from './needed-inside.js';
import { oneOfOps, type Match } from './pattern.js';
import type { Rewrite } from './rewrite.js';
import { scanOf } from './scan-of.js';

/**
 * States and collected values of a scan that nothing needs, and what they are computed from. Sequences stay, whose lengths are checked.
 */
export const deadCodeInScan: Rewrite = {
  name: 'dead code in a scan',
  pattern: oneOfOps('scan'),
  check(match) {
    const scan = scanOf(match.node);
    const outputs = neededOutputs(match);
    return isAll(match, outputs)
      ? undefined
      : neededInside(
          scan.inner,
          outputs.map((output) => at(scan.inner.outputs, output)),
        ).reason;
  },
  replacement(match) {
    const { node } = match;
    const { inner, parameters } = scanOf(match.node);
    const kept = neededOutputs(match);
    if (isAll(match, kept)) return undefined;
    const outputs = kept.map((output) => at(inner.outputs, output));
    const needed = neededInside(inner, outputs).inputs;
    const [states, collected] = [
      kept.filter((one) => one < parameters.states),
      kept.filter((one) => one >= parameters.states),
    ];
    const [inside, outside] = [scanInputs(inner.inputs, parameters), scanInputs(node.inputs.slice(1), parameters)];
    const constants = inside.constants.flatMap((input, position) => (needed.has(input) ? [position] : []));
    const of = ({ sequences, states: all, constants: same }: typeof inside): Variable[] => [
      ...sequences,
      ...states.map((position) => at(all, position)),
      ...constants.map((position) => at(same, position)),
    ];
    const op = scanOp(
      { inputs: of(inside), outputs },
      {
        ...parameters,
        states: states.length,
        backwardOutputs: collected.map((output) => at(parameters.backwardOutputs, output - parameters.states)),
      },
    );
    const again = new Apply(op, [at(node.inputs, 0), ...of(outside)]);
    return node.outputs.map((_, output) => (kept.includes(output) ? again.outputAt(kept.indexOf(output)) : undefined));
  },
};

function isAll({ node }: Match, kept: readonly number[]): boolean {
  const { inner, parameters } = scanOf(node);
  if (kept.length < node.outputs.length) return false;
  const needed = neededInside(inner, inner.outputs).inputs;
  return scanInputs(inner.inputs, parameters).constants.every((input) => needed.has(input));
}

/** Positions of the outputs that are used, and of the states that these are computed from, through any number of steps. */
function neededOutputs({ node, old, view }: Match): number[] {
  const { inner, parameters } = scanOf(node);
  const { states } = scanInputs(inner.inputs, parameters);
  const needed = new Set(
    node.outputs.flatMap((_, position) => (view.isUsed(at(old.outputs, position)) ? [position] : [])),
  );
  for (let before = -1; before !== needed.size;) {
    before = needed.size;
    const read = neededInside(
      inner,
      [...needed].map((position) => at(inner.outputs, position)),
    ).inputs;
    for (const [position, state] of states.entries()) if (read.has(state)) needed.add(position);
  }
  return [...needed].toSorted((a, b) => a - b);
}
