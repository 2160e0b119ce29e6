import type { DataStream } from '@longrun/fuel';
import type { Variable } from '@longrun/tensor';

import { DataStreamMonitoring, TrainingDataMonitoring } from './monitoring.js';
import type { TrainingExtension } from './training-extension.js';

/** What is watched besides the cost of training. */
export interface CostMonitoringOptions {
  /** Streams that are evaluated before the first epoch and after each, by the prefix of their records: `{ test }` logs `test_cost`. */
  readonly streams: Readonly<Record<string, DataStream>>;
  /** What is evaluated on them besides the cost. Each has a name. Default nothing. */
  readonly variables?: readonly Variable[];
  /** The cost on them, where the graph for evaluation is another one, as with batch normalization and dropout; called `cost`. Default: that of training. */
  readonly evaluationCost?: Variable;
}

/**
 * What nearly every program watches: the cost of each batch (`batch_cost`), its mean over each epoch (`train_cost`), and the cost and other
 * variables on other data.
 *
 * @param cost called `cost`
 */
export function costMonitoring(
  cost: Variable,
  { streams, variables = [], evaluationCost = cost }: CostMonitoringOptions,
): readonly TrainingExtension[] {
  return [
    new TrainingDataMonitoring({ name: 'BatchCost', variables: [cost], prefix: 'batch', afterBatch: true }),
    new TrainingDataMonitoring({ name: 'TrainCost', variables: [cost], prefix: 'train', afterEpoch: true }),
    ...Object.entries(streams).map(
      ([prefix, dataStream]) =>
        new DataStreamMonitoring({ variables: [evaluationCost, ...variables], dataStream, prefix }),
    ),
  ];
}
