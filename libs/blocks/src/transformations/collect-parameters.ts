import { concatenate, evaluate, flatten, reshape, shared, slice, type SharedVariable } from '@longrun/tensor';

import { setBlocksName } from '../graph/annotations.js';
import type { ComputationGraph } from '../graph/computation-graph.js';
import { addRole, COLLECTED, COLLECTOR } from '../roles.js';
import { GraphChange } from '../selection/graph-change.js';

/** What {@link collectParameters} gives. */
export interface CollectedParameters extends Pick<GraphChange, 'graph' | 'changes' | 'standIn' | 'variables'> {
  /** All parameters, one after the other; its role is COLLECTOR. */
  readonly collector: SharedVariable;
}

/**
 * The graph with parameters in one flat vector, `collected_parameters`, of which a slice in their shape, with the role COLLECTED, stands in the place
 * of each (Blocks: `collect_parameters`). The vector has their values as they are at the call; they themselves do not change with it.
 *
 * @throws Error when there are none, or when they have not one dtype
 */
export async function collectParameters(
  graph: ComputationGraph,
  parameters: readonly SharedVariable[],
): Promise<CollectedParameters> {
  const [first] = parameters;
  if (first === undefined) throw new Error('collectParameters: there are no parameters; give some of the graph');
  const other = parameters.find(({ dtype }) => dtype !== first.dtype);
  if (other !== undefined) {
    throw new Error(
      `collectParameters: ${other.toString()} is ${other.dtype} but ${first.toString()} is ${first.dtype}; collect those of one dtype`,
    );
  }
  const shapes = await Promise.all(parameters.map(async (parameter) => (await parameter.getValue()).shape));
  const all = await evaluate(concatenate(parameters.map((parameter) => flatten(parameter))));
  const collector = shared(all, 'collected_parameters');
  setBlocksName(collector, 'collected_parameters');
  addRole(collector, COLLECTOR);
  let stop = 0;
  const change = GraphChange.of(
    graph,
    parameters.map((parameter, at) => {
      const shape = shapes[at] ?? [];
      const start = stop;
      stop += shape.reduce((size, one) => size * one, 1);
      const part = reshape(slice(collector, start, stop), shape);
      addRole(part, COLLECTED);
      return [parameter, part] as const;
    }),
  );
  return Object.assign(change, { collector });
}
