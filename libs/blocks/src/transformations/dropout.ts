import { div, mul, type GraphRandomStreams, type Variable } from '@longrun/tensor';

import type { ComputationGraph } from '../graph/computation-graph.js';
import { withDraw } from '../graph/random-draw.js';
import { addRole, DROPOUT } from '../roles.js';
import { GraphChange } from '../selection/graph-change.js';
import { drawn, floatOf } from './noise.js';
import { sizesOf } from './sizes-of.js';

/** Options of {@link applyDropout}. */
export interface DropoutOptions {
  /** What the elements that are kept are divided by. Default: 1 - `dropProbability`, so that means stay. */
  readonly divisor?: number;
}

/**
 * The graph with elements of variables set to 0, each with the same probability and by itself (Srivastava et al., 2014; Blocks:
 * `apply_dropout`). What stands in their place has the role DROPOUT; apply it to the training graph, and evaluate the one before.
 *
 * Which elements is new with each run of a function that makes the graph's updates, as the one that `GradientDescent` trains by does.
 *
 * @param dropProbability from 0 to below 1
 * @param random what to draw from; its states are saved with training
 */
export function applyDropout(
  graph: ComputationGraph,
  variables: Iterable<Variable>,
  dropProbability: number,
  random: GraphRandomStreams,
  options: DropoutOptions = {},
): GraphChange {
  if (!(dropProbability >= 0 && dropProbability < 1)) {
    throw new Error(`applyDropout: the probability is ${dropProbability}; give one from 0 to below 1`);
  }
  const kept = 1 - dropProbability;
  const { divisor = kept } = options;
  if (!(divisor > 0)) throw new Error(`applyDropout: the divisor is ${divisor}; give a positive number`);
  return GraphChange.of(
    graph,
    [...variables].map((variable) => {
      const dtype = floatOf('applyDropout', variable);
      const mask = drawn(random, () => random.binomial(sizesOf(variable), { p: kept, dtype }));
      const dropped = withDraw(div(mul(variable, mask.values), divisor), mask.updates);
      addRole(dropped, DROPOUT);
      return [variable, dropped] as const;
    }),
  );
}
