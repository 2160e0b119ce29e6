import { z } from 'zod';

import { DatasetDescription, DatasetFile, DatasetIdentity } from './dataset-spec.js';
import { DatasetId, Sha256, Step } from './ids.js';
import { LogRow } from './log-row.js';
import { ReasonCode } from './reason.js';

export const ExperimentResult = z
  .object({
    parametersSha256: Sha256.meta({
      description: 'SHA-256 of the final `parameters.safetensors`: equal for equal runs.',
    }),
    lastRow: LogRow.meta({ description: 'The last row of the log.' }),
  })
  .meta({ description: 'What a finished experiment leaves.' });
export type ExperimentResult = z.infer<typeof ExperimentResult>;

/**
 * How an experiment ended: the `outcome` in the head of its lease (`experiments/<id>`), written once, in the
 * compare-and-set that ends the lease. It wins over everything that events and heartbeats say.
 *
 * Workers write it for `succeeded` (with `result`), `cancelled`, and every reason of {@link isFinalReason}. A reason
 * that may be tried again is no outcome: only an `attempt_ended` event, and the record decides.
 */
export const ExperimentOutcome = z.object({
  reason: ReasonCode,
  message: z.string().optional(),
  /** Batches done in all attempts together. */
  step: Step,
  result: ExperimentResult.optional(),
});
export type ExperimentOutcome = z.infer<typeof ExperimentOutcome>;

export const DatasetResult = DatasetFile.extend({
  description: DatasetDescription.meta({ description: 'What is in the file.' }),
  identity: DatasetIdentity.nullable()
    .default(null)
    .meta({ description: 'What it was made of, and by what; null where that is not known: an earlier build made it.' }),
  sameAs: DatasetId.nullable()
    .default(null)
    .meta({
      description:
        'The dataset that had the name before, whose identity was found to be the same: it has the name again, and all ' +
        'else here is its. Null of one that was converted.',
    }),
}).meta({ description: 'What a successful conversion leaves.' });
export type DatasetResult = z.infer<typeof DatasetResult>;

/** How a dataset job ended: the `outcome` in the head of its lease (`datasets/<id>`). Same rules as {@link ExperimentOutcome}. */
export const DatasetOutcome = z.object({
  reason: ReasonCode,
  message: z.string().optional(),
  result: DatasetResult.optional(),
});
export type DatasetOutcome = z.infer<typeof DatasetOutcome>;
