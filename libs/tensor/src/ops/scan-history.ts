import { at } from '../arrays/at.js';
import { Apply } from '../graph/apply.js';
import { Constant, constant } from '../graph/constant.js';
import type { Variable } from '../graph/variable.js';
import { add } from './add.js';
import { concatenate } from './concatenate.js';
import { dimshuffle } from './dimshuffle.js';
import { scanInputs, type AppliedScan } from './scan-inputs.js';
import { slice } from './slice.js';

/** A value of every step of a scan: one row for each, the first step's first, or last where `backward`. */
export interface History {
  readonly rows: Variable;
  readonly backward: boolean;
}

/**
 * The states before each step of a scan, by the inner variables that they are, of those that `isWanted` picks, and what else of each step is to be
 * `kept`. They are taken from what the scan collects; where it does not collect them, it is computed again such that it does.
 */
export function stepHistory(
  applied: AppliedScan,
  isWanted: (state: Variable) => boolean,
  kept: readonly Variable[],
): Map<Variable, History> {
  const { node, inner, parameters, makeScan } = applied;
  const { states } = scanInputs(inner.inputs, parameters);
  const found = new Map<Variable, History>();
  const missing: Variable[] = [];
  for (const state of states.filter(isWanted)) {
    const history = collectedHistory(applied, state, new Set());
    if (history === undefined) missing.push(state);
    else found.set(state, history);
  }
  for (const variable of kept) {
    const history = collectedValues(applied, variable);
    if (history === undefined) missing.push(variable);
    else found.set(variable, history);
  }
  if (missing.length === 0) return found;
  const op = makeScan(
    { inputs: inner.inputs, outputs: [...inner.outputs, ...missing] },
    { ...parameters, backwardOutputs: [...parameters.backwardOutputs, ...missing.map(() => false)] },
  );
  const again = new Apply(op, node.inputs);
  for (const [position, variable] of missing.entries()) {
    found.set(variable, { rows: again.outputAt(inner.outputs.length + position), backward: false });
  }
  return found;
}

function collectedHistory(applied: AppliedScan, state: Variable, asked: Set<Variable>): History | undefined {
  const { node, inner, parameters } = applied;
  if (asked.has(state)) return undefined;
  asked.add(state);
  const before = collectedValues(applied, state);
  if (before !== undefined) return before;
  const { states } = scanInputs(inner.inputs, parameters);
  const position = states.indexOf(state);
  const next = at(inner.outputs, position);
  // A state that takes over another one, as older values do, has after a step what the other had before it.
  // Where gradients are truncated, first values of another state would be reached around the scan, which holds them for constant.
  const isTakenOver = parameters.truncateGradient === null && states.includes(next);
  const after = collectedValues(applied, next) ?? (isTakenOver ? collectedHistory(applied, next, asked) : undefined);
  if (after === undefined) return undefined;
  const first = at(scanInputs(node.inputs.slice(1), parameters).states, position);
  return shifted(first, after, at(node.inputs, 0));
}

function collectedValues({ node, inner, parameters }: AppliedScan, variable: Variable): History | undefined {
  const position = inner.outputs.indexOf(variable, parameters.states);
  if (position < 0) return undefined;
  return { rows: node.outputAt(position), backward: at(parameters.backwardOutputs, position - parameters.states) };
}

/** The values before each step, given the first one and those after each. */
function shifted(first: Variable, { rows, backward }: History, steps: Variable): History {
  const row = dimshuffle(first, ['x', ...first.shape.map((_, axis) => axis)]);
  return backward
    ? { rows: slice(concatenate([rows, row]), 1, plusOne(steps)), backward }
    : { rows: slice(concatenate([row, rows]), 0, steps), backward };
}

function plusOne(steps: Variable): Variable {
  return steps instanceof Constant ? constant(steps.toNumber() + 1, 'int64') : add(steps, 1);
}
