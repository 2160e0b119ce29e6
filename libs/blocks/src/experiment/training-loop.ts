import type { DataStream } from '@longrun/fuel';
import type { Variable } from '@longrun/tensor';
import type { z } from 'zod';

import { GradientDescent } from '../algorithms/gradient-descent.js';
import { costMonitoring } from '../extensions/cost-monitoring.js';
import { EpochTable } from '../extensions/epoch-table.js';
import { FinishAfter } from '../extensions/finish-after.js';
import { MainLoop } from '../main-loop/main-loop.js';
import type { BuildContext } from './experiment-program.js';
import { stepRuleOf, type TRAINING_PARAMS } from './training-params.js';

/** What {@link TRAINING_PARAMS} give. */
export type TrainingParams = {
  readonly [Name in keyof typeof TRAINING_PARAMS]: z.output<(typeof TRAINING_PARAMS)[Name]>;
};

/** What a program trains, and what it says of that. */
export interface Training {
  /** What is minimized. Called `cost`. */
  readonly cost: Variable;
  readonly train: DataStream;
  readonly test: DataStream;
  /** What is evaluated on `test` besides the cost. Each has a name. Default nothing. */
  readonly variables?: readonly Variable[];
  /** The cost on `test`, where the graph for evaluation is another one. Called `cost`. Default: that of training. */
  readonly evaluationCost?: Variable;
  /** How the cost is minimized. Default: by the step rule that the params name. */
  readonly algorithm?: GradientDescent;
}

/**
 * The main loop of a program that trains for `epochs` and evaluates before the first epoch and after each. The log has `batch_cost`, `train_cost`, `test_cost` and
 * the like; the output `epochs.csv` has a line of them for each epoch.
 */
export function trainingLoop(context: BuildContext<TrainingParams>, training: Training): MainLoop {
  const { params, random, target } = context;
  const { cost, train, test, variables = [], evaluationCost = cost } = training;
  const { algorithm = new GradientDescent({ cost, stepRule: stepRuleOf(params) }) } = training;
  const records = ['train_cost', 'test_cost', ...variables.map(({ name }) => `test_${name}`)];
  return new MainLoop({
    algorithm,
    dataStream: train,
    random,
    ...target,
    extensions: [
      ...costMonitoring(cost, { streams: { test }, variables, evaluationCost }),
      new EpochTable(context.output('epochs.csv'), records),
      new FinishAfter({ afterNEpochs: params.epochs }),
      ...context.extensions(),
    ],
  });
}
