import { add, type GraphRandomStreams, type SharedVariable, type Variable } from '@longrun/tensor';

import type { ComputationGraph } from '../graph/computation-graph.js';
import { withDraw } from '../graph/random-draw.js';
import { GraphChange } from '../selection/graph-change.js';
import { sizesOf } from './sizes-of.js';

/**
 * The graph with Gaussian noise of mean 0 added to variables, also to parameters: of these what is trained is the value without it (Blocks:
 * `apply_noise`).
 *
 * The noise is new with each run of a function that makes the graph's updates, as the one that `GradientDescent` trains by does.
 *
 * @param level the standard deviation
 * @param random what to draw from; its states are saved with training
 */
export function applyNoise(
  graph: ComputationGraph,
  variables: Iterable<Variable>,
  level: number,
  random: GraphRandomStreams,
): GraphChange {
  if (!(level >= 0)) throw new Error(`applyNoise: the level is ${level}; give a standard deviation of at least 0`);
  return GraphChange.of(
    graph,
    [...variables].map((variable) => {
      const dtype = floatOf('applyNoise', variable);
      const noise = drawn(random, () => random.normal(sizesOf(variable), { std: level, dtype }));
      return [variable, withDraw(add(variable, noise.values), noise.updates)] as const;
    }),
  );
}

/** What `draw` draws, and the states that it has left changed. */
export function drawn(random: GraphRandomStreams, draw: () => Variable): Drawn {
  const before = new Set(random.updates.keys());
  const values = draw();
  return { values, updates: [...random.updates].filter(([state]) => !before.has(state)) };
}

/** What was drawn, and the states that it takes to draw anew. */
export interface Drawn {
  readonly values: Variable;
  readonly updates: readonly (readonly [SharedVariable, Variable])[];
}

/** The float dtype of a variable. @throws Error where it has another */
export function floatOf(who: string, variable: Variable): 'float32' | 'float64' {
  if (variable.dtype === 'float32' || variable.dtype === 'float64') return variable.dtype;
  throw new Error(`${who}: ${variable.toString()} is ${variable.dtype}; choose variables of a float dtype`);
}
