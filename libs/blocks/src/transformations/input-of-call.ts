import type { Variable } from '@longrun/tensor';

import type { ComputationGraph } from '../graph/computation-graph.js';
import { getApplicationCall } from '../graph/provenance.js';
import { INPUT } from '../roles.js';
import { select } from '../selection/selection.js';

/** What the call that made a variable was given, as it is in the graph. @throws Error where that is not one variable */
export function inputOfCall(graph: ComputationGraph, made: Variable): Variable {
  const call = getApplicationCall(made);
  return select(graph)
    .role(INPUT)
    .where((variable) => getApplicationCall(variable) === call, 'is of the same call')
    .one();
}
