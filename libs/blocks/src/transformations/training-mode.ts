import { identity, type Variable } from '@longrun/tensor';

import { Dropout } from '../bricks/stochastic/dropout.js';
import { withinScan } from '../bricks/stochastic/random.js';
import type { ComputationGraph } from '../graph/computation-graph.js';
import { getBrick } from '../graph/provenance.js';
import { DROPOUT, hasRoles, OUTPUT } from '../roles.js';
import { GraphChange } from '../selection/graph-change.js';
import { select } from '../selection/selection.js';
import { statisticsInTraining } from './batch-normalization.js';
import { inputOfCall } from './input-of-call.js';

/**
 * The training graph of one that was built for evaluation: every batch normalization takes the statistics of the batch, and every `Dropout` drops. What is in
 * training mode already stays.
 *
 * @throws Error for a `Dropout` within a scan, which could only drop the same in each step
 */
export function applyTrainingMode(graph: ComputationGraph): GraphChange {
  const outputs = select(graph).brick(Dropout).role(OUTPUT);
  for (const output of outputs.inside()) if (!outputs.has(output)) throw new Error(withinScan(brickOf(output)));
  const drops = [...outputs].map((output) => dropped(graph, output));
  return GraphChange.of(graph, [...statisticsInTraining(graph), ...drops]);
}

/** What a `Dropout` gave, and what it gives in training. */
function dropped(graph: ComputationGraph, output: Variable): readonly [Variable, Variable] {
  const [value] = output.owner?.inputs ?? [];
  if (value === undefined || hasRoles(value, [DROPOUT])) return [output, output];
  const inTraining = identity(brickOf(output).dropped(value, inputOfCall(graph, output)));
  inTraining.takeOver(output);
  return [output, inTraining];
}

function brickOf(variable: Variable): Dropout {
  const brick = getBrick(variable);
  if (brick instanceof Dropout) return brick;
  throw new Error(`${variable.toString()} was not made by a Dropout`);
}
