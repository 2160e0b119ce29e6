import { Checkpoint, CostWatch, Reporting, type TrainingContext, TrainingExtension } from '@longrun/blocks';
import type { CheckpointPolicy } from '@longrun/contracts';

import type { ProgressLine } from './progress-line.js';

/** What the main loop is given on top of the program's own extensions. */
export function localExtensions({
  checkpoints,
  policy,
  line,
}: {
  /** Where they are saved. */
  readonly checkpoints: string;
  readonly policy: CheckpointPolicy;
  readonly line: ProgressLine;
}): readonly TrainingExtension[] {
  const newest = new NewestCost();
  return [
    newest,
    new CostWatch({
      name: 'HostCostWatch',
      onNonFinite: ({ record, value, step }) => line.say(`${record} is ${value} at step ${step}`),
    }),
    new Reporting({
      name: 'HostReporting',
      onProgress: (progress) => line.show(progress, newest.cost),
      progressEveryMs: 100,
    }),
    new Checkpoint({
      name: 'HostCheckpoint',
      folder: checkpoints,
      everyNBatches: policy.everyBatches,
      keepLast: policy.keepLast,
      // The log is to be the same wherever it is trained.
      logRecord: null,
    }),
  ];
}

/** Knows the cost of the newest batch. Saves nothing. */
class NewestCost extends TrainingExtension {
  cost: number | undefined;

  override attach(mainLoop: TrainingContext): void {
    super.attach(mainLoop);
    const { algorithm } = mainLoop;
    if (algorithm.cost !== undefined) algorithm.observe([algorithm.cost]);
  }

  override afterBatch(): void {
    const { algorithm } = this.mainLoop;
    if (algorithm.cost !== undefined) this.cost = Number(algorithm.observed(algorithm.cost).data[0]);
  }
}
