import { z } from 'zod';

import { StorableText } from './json.js';

export const BestCheckpoints = z
  .strictObject({
    record: StorableText.min(1)
      .max(200)
      .meta({
        description:
          'Name of the record, as `valid_cost`. A checkpoint counts by its last value after the step of the checkpoint ' +
          'before, up to its own step; without one, or with one that is no finite number, it is never the best. That none ' +
          'has one is said in the output of the run, after its first epoch, and as it ends.',
      }),
    mode: z
      .enum(['min', 'max'])
      .default('min')
      .meta({ description: 'Whether low values are good (`min`), or high ones (`max`).' }),
    count: z.int().min(1).max(1000).default(1).meta({ description: 'How many are kept; of equal ones the earlier.' }),
  })
  .meta({ description: 'Which checkpoints are the best, by a record of the log.' });
export type BestCheckpoints = z.infer<typeof BestCheckpoints>;

export const CheckpointPolicy = z
  .strictObject({
    everyBatches: z.int().min(1).default(100).meta({ description: 'Batches between two checkpoints.' }),
    keepLast: z.int().min(1).max(1000).default(3).meta({
      description:
        'Newest checkpoints kept; older ones are deleted, unless another rule keeps them or they are held. At least 1.',
    }),
    keepEvery: z
      .int()
      .min(1)
      .optional()
      .meta({
        description:
          'In batches: of the steps from each multiple of it up to the next the first checkpoint is kept for good, beside ' +
          'the last ones. Default: none is.',
      }),
    keepBest: BestCheckpoints.optional().meta({
      description: 'Also kept: the best by a record of the log. Default: none.',
    }),
    onAllDamaged: z
      .enum(['stop', 'restart'])
      .default('stop')
      .meta({
        description:
          'What happens when all of them are damaged: `stop` ends the experiment and keeps them; `restart` begins anew from ' +
          'the seed and keeps them until it has a new one.',
      }),
  })
  .meta({ description: 'When checkpoints are taken and which are kept.' });
export type CheckpointPolicy = z.infer<typeof CheckpointPolicy>;
