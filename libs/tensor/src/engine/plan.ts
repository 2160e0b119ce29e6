import { at } from '../arrays/at.js';
import { Constant } from '../graph/constant.js';
import { SharedVariable } from '../graph/shared-variable.js';
import { describe, type Variable } from '../graph/variable.js';
import { ancestors } from '../graph/walk.js';
import { rewrittenForEngine } from '../rewrite/rewrites.js';
import type { AskedFunction } from './asked-function.js';
import type { FunctionLayout } from './compiled-function.js';
import type { FunctionGraph } from './engine.js';
import { equalSizes } from './equal-sizes.js';
import type { ExplainedParts } from './explanation.js';
import { fuse, type FusedStage } from './fusion/fuse.js';
import { constantBytes } from './held-memory.js';
import type { OnUnusedInput } from './on-unused-input.js';
import { partition, type Stage } from './partition.js';

/** What is compiled of a function that was asked for, and how the function is laid out. */
export interface Plan {
  readonly layout: PlannedLayout;
  readonly explained: ExplainedParts;
  readonly graph: FunctionGraph;
  readonly stages: readonly Stage[];
  readonly fused: FusedStage | undefined;
  /** Whether there is a {@link FusedStage} that is left out, or cut short, as its memory could not be had. */
  readonly lacksMemory: boolean;
}

/** Of the layout of a function, what planning finds out. */
export type PlannedLayout = Pick<FunctionLayout, 'reads' | 'outputs' | 'equalSizes'> & {
  /** Positions of the new values of shared variables among the results. */
  readonly writes: readonly number[];
  /** Positions of what is watched, likewise. */
  readonly watches: readonly (readonly number[])[];
};

/**
 * Rewrites a graph, takes out of it what kernels compute, and divides the rest between the engine and the host.
 *
 * @throws Error where an output depends on what is not given, or nothing on an input; OpUnsupported
 */
export function planOf(asked: AskedFunction): Plan {
  const { name, inputs, outputs, updates, computed, watches, engine, target } = asked;
  const all = [...computed, ...watches.flatMap(({ values }) => values)];
  const { outputs: replaced, history } = rewrittenForEngine(all, inputs, asked.rewrites);
  const results = [...new Set(replaced)];
  const reads = leaves(name, inputs, results, asked.onUnusedInput);
  const state = new Set(replaced.slice(outputs, computed.length));
  const graph: FunctionGraph = { name, inputs: [...inputs, ...reads], outputs: results, state };
  const { rest, fused, unfused, lacksMemory } = fuse(graph, engine, target);
  const { stages, hostOps } = partition(rest, engine);
  const onEngine = stages.filter(({ on }) => on === 'engine');
  const positionOf = new Map(results.map((result, position) => [result, position]));
  const positions = replaced.map((variable) => positionOf.get(variable) ?? -1);
  let watched = computed.length;
  const layout: PlannedLayout = {
    reads,
    writes: updates.map((_, position) => at(positions, outputs + position)),
    outputs: positions.slice(0, outputs),
    watches: watches.map(({ values }) => {
      watched += values.length;
      return positions.slice(watched - values.length, watched);
    }),
    equalSizes: equalSizes(inputs, results),
  };
  const explained = {
    engineOps: onEngine.reduce((sum, { nodes }) => sum + nodes.length, 0),
    engineCalls: onEngine.length,
    hostOps,
    kernels: fused?.kernels ?? [],
    unfused,
    rewriting: history,
    get constantBytes() {
      return constantBytes(results, inputs);
    },
  };
  return { layout, explained, graph, stages, fused, lacksMemory };
}

/** The shared variables among the leaves, after checking that all leaves have values. */
function leaves(
  name: string,
  inputs: readonly Variable[],
  results: readonly Variable[],
  onUnusedInput: OnUnusedInput,
): SharedVariable[] {
  const given = new Set(inputs);
  if (given.size < inputs.length) throw new Error(`${name}: an input is listed twice; list each once`);
  for (const input of inputs) {
    if (input instanceof Constant || input instanceof SharedVariable) {
      throw new Error(
        `${name}: ${describe(input)} has a value of its own and cannot be an input; use givens to replace it`,
      );
    }
  }
  const used = ancestors(results, { blockers: inputs });
  const sharedVariables: SharedVariable[] = [];
  for (const variable of used) {
    if (given.has(variable) || variable.owner !== null || variable instanceof Constant) continue;
    if (!(variable instanceof SharedVariable)) {
      throw new Error(`${name}: the outputs depend on ${describe(variable)}, which is not among the inputs; add it`);
    }
    sharedVariables.push(variable);
  }
  const reached = new Set(used);
  const unused = inputs.filter((input) => !reached.has(input));
  if (unused.length > 0 && onUnusedInput === 'raise') {
    throw new Error(
      `${name}: no output depends on ${unused.map(describe).join(', ')}; leave it out or set onUnusedInput to 'ignore'`,
    );
  }
  return sharedVariables;
}
