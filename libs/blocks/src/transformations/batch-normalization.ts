import { reshape, type SharedVariable, type Variable } from '@longrun/tensor';

import { BatchNormalization } from '../bricks/normalization/batch-normalization.js';
import type { ComputationGraph } from '../graph/computation-graph.js';
import { getBrick } from '../graph/provenance.js';
import { addRole, BATCH_NORM_DIVISOR, BATCH_NORM_MINIBATCH_ESTIMATE, BATCH_NORM_OFFSET, hasRoles } from '../roles.js';
import { GraphChange } from '../selection/graph-change.js';
import { select } from '../selection/selection.js';
import { inputOfCall } from './input-of-call.js';

/**
 * The graph in which every batch normalization takes the statistics of the batch in the place of those of the population (Blocks:
 * `apply_batch_normalization`). `applyTrainingMode(graph)` does this, and all else that is otherwise in training.
 */
export function applyBatchNormalization(graph: ComputationGraph): GraphChange {
  return GraphChange.of(graph, statisticsInTraining(graph));
}

/** The statistics of the population in a graph, each with that of the batch. */
export function statisticsInTraining(graph: ComputationGraph): (readonly [population: Variable, batch: Variable])[] {
  const statistics = select(graph)
    .brick(BatchNormalization)
    .role(BATCH_NORM_OFFSET, BATCH_NORM_DIVISOR)
    .where((variable) => !hasRoles(variable, [BATCH_NORM_MINIBATCH_ESTIMATE]), 'is of the population');
  return [...statistics].map((statistic) => {
    const { offset, divisor } = brickOf(statistic).statisticsOf(inputOfCall(graph, statistic));
    const estimate = hasRoles(statistic, [BATCH_NORM_OFFSET]) ? offset : divisor;
    if (estimate === undefined) return [statistic, statistic];
    estimate.takeOver(statistic);
    addRole(estimate, BATCH_NORM_MINIBATCH_ESTIMATE);
    return [statistic, estimate];
  });
}

/** Options of {@link getBatchNormalizationUpdates}. */
export interface BatchNormalizationUpdatesOptions {
  /** Take a brick that is applied several times once for each. Default false: it is refused, for which is meant is not clear. */
  readonly allowDuplicates?: boolean;
}

/**
 * The statistics of the population in a training graph, each with its estimate by one batch. What comes of these is the program's to say; a moving
 * average: `updates.map(([population, estimate]) => [population, add(mul(population, 0.9), mul(estimate, 0.1))])`, for `algorithm.addUpdates`.
 *
 * @throws Error when no batch normalization of the graph is in training mode, or when one is applied several times
 */
export function getBatchNormalizationUpdates(
  trainingGraph: ComputationGraph,
  options: BatchNormalizationUpdatesOptions = {},
): (readonly [population: SharedVariable, estimate: Variable])[] {
  const updates = select(trainingGraph)
    .role(BATCH_NORM_MINIBATCH_ESTIMATE)
    .brick(BatchNormalization)
    .variables.map((estimate) => {
      const brick = brickOf(estimate);
      const population = hasRoles(estimate, [BATCH_NORM_OFFSET]) ? brick.populationMean : brick.populationStdev;
      return [population, reshape(estimate, population.shape.map(Number))] as const;
    });
  if (updates.length === 0) {
    throw new Error(
      'getBatchNormalizationUpdates: no batch normalization of the graph is in training mode; build it in trainingMode(bricks, ...), or ' +
        'give the graph of applyTrainingMode(graph)',
    );
  }
  const populations = updates.map(([population]) => population);
  const repeated = populations.find((population, at) => populations.indexOf(population) !== at);
  if (repeated === undefined || options.allowDuplicates === true) return updates;
  throw new Error(
    `getBatchNormalizationUpdates: ${String(getBrick(repeated))} is applied several times; choose between its estimates, with allowDuplicates`,
  );
}

function brickOf(variable: Variable): BatchNormalization {
  const brick = getBrick(variable);
  if (brick instanceof BatchNormalization) return brick;
  throw new Error(`${variable.toString()} was not made by a BatchNormalization`);
}
