import type { Apply } from '../graph/apply.js';
import type { InnerGraph } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';
import { graphInputs, toposort } from '../graph/walk.js';
import { isFusedByEngines } from './fused-by-engines.js';

/** An inner graph of which some outputs are needed. */
export interface NeededInside {
  /** Those of its inputs that these are computed from. */
  readonly inputs: ReadonlySet<Variable>;
  /** Why the rest had better stay: a sentence without its full stop; undefined where it may go. */
  readonly reason: string | undefined;
}

/** What `outputs` of an inner graph are computed from, and whether it changes bits to take away all else. */
export function neededInside(inner: InnerGraph, outputs: readonly Variable[]): NeededInside {
  const kept = new Set<Apply | null>(toposort(outputs, { blockers: inner.inputs }));
  const all = toposort(inner.outputs, { blockers: inner.inputs });
  const wanted = new Set(outputs);
  const lessUsed = [
    ...inner.outputs.filter((output) => !wanted.has(output)),
    ...all.flatMap((node) => (kept.has(node) ? [] : node.inputs)),
  ];
  const inputs = new Set(graphInputs(outputs, { blockers: inner.inputs }));
  const isPlaced = inner.outputs.some(
    (output) => kept.has(output.owner) && timesIn(outputs, output) < timesIn(inner.outputs, output),
  );
  if (isPlaced) return { inputs, reason: 'an engine may sum by where an array lies, and what is left is written less' };
  const isLeft = lessUsed.some(
    (variable) => variable.owner !== null && kept.has(variable.owner) && isFusedByEngines(variable),
  );
  return {
    inputs,
    reason: isLeft ? 'an engine may fuse what is left, once less uses it' : undefined,
  };
}

function timesIn(variables: readonly Variable[], variable: Variable): number {
  return variables.filter((one) => one === variable).length;
}
