import { z } from 'zod';

import { DatasetSpec } from './dataset-spec.js';
import { DatasetRole, ExperimentSpec } from './experiment-spec.js';
import { Hyperparameters, HyperparameterSettingView } from './hyperparameters.js';
import { DatasetId, ExperimentId, Fence, Moment, Sha256, SizeBytes, Step } from './ids.js';
import { Json } from './json.js';
import { LibraryVersions } from './library-versions.js';
import { NonFiniteCost } from './log-row.js';
import { DatasetResult, ExperimentResult } from './outcome.js';
import { ReasonCode } from './reason.js';
import { DatasetStatus, ExperimentStatus } from './status.js';
import { DatasetProgress, ExperimentProgress, RejectedCheckpoint } from './worker-event.js';

export const AttemptView = z
  .object({
    fence: Fence,
    status: z
      .enum(['enqueued', 'running', 'ended'])
      .meta({ description: 'Where it stands: it waits in the queue, a worker has it, or it is over.' }),
    workerId: z.string().nullable().meta({ description: 'The worker that took it; null while none has.' }),
    enqueuedAt: Moment.meta({ description: 'When it was put on the queue.' }),
    startedAt: Moment.nullable().meta({ description: 'When a worker began it; null while none has.' }),
    endedAt: Moment.nullable().meta({ description: 'When it ended; null while it has not.' }),
    reason: ReasonCode.nullable().meta({ description: 'Why it ended; null while it has not.' }),
    message: z.string().nullable().meta({
      description: 'What is known about its end besides the reason: the error; null where there is nothing to say.',
    }),
    startStep: Step.nullable().meta({
      description:
        'Batches that the checkpoint had done which it went on from: 0 without one, null while it has not begun.',
    }),
    lastStep: Step.nullable().meta({
      description: 'Batches done when it ended, or at the last sign of life; null before the first.',
    }),
    stepsRun: z
      .int()
      .min(0)
      .nullable()
      .meta({ description: 'Batches that this attempt ran; null until it has ended.' }),
    peakMemoryBytes: z
      .int()
      .min(0)
      .nullable()
      .meta({ description: 'Largest resident set of its trainer, in bytes; null until it has ended.' }),
    engine: z.string().nullable().meta({ description: 'The engine that computes; null while it has not begun.' }),
    environment: Json.meta({
      description: 'Its numeric environment: bits repeat only where it is equal. Null while it has not begun.',
    }),
    libraries: LibraryVersions.nullable().meta({
      description: 'What its program imported of `@longrun/*`; null where it has not begun, or its worker did not say.',
    }),
    restoredFrom: z.string().nullable().meta({
      description: 'Key in the object store of the manifest of the checkpoint that it went on from; null without one.',
    }),
    rejectedCheckpoints: z
      .array(RejectedCheckpoint)
      .meta({ description: 'Checkpoints that it found damaged and passed over.' }),
    hyperparameters: Hyperparameters.nullable().meta({
      description: 'What can be set while it trains, as it was at the start; null while it is not known.',
    }),
  })
  .meta({ description: 'One try at an experiment or a dataset, from its place in the queue to its end.' });
export type AttemptView = z.infer<typeof AttemptView>;

export const CheckpointView = z
  .object({
    step: Step,
    fence: Fence.meta({ description: 'Fence of the attempt that committed it.' }),
    sizeBytes: SizeBytes,
    at: Moment.meta({ description: 'When it was committed.' }),
  })
  .meta({
    description:
      'A checkpoint that was committed. Older ones may have been deleted since, if no rule of its `checkpoint` policy ' +
      'keeps them.',
  });
export type CheckpointView = z.infer<typeof CheckpointView>;

export const ExperimentOrigin = z
  .object({
    experiment: ExperimentId.meta({ description: 'Id of the other experiment.' }),
    step: Step.meta({ description: 'Batches that the checkpoint had done.' }),
    sha256: Sha256.meta({ description: 'SHA-256 of the manifest of the checkpoint.' }),
    changed: z
      .array(z.enum(['program', 'datasets']))
      .meta({ description: 'What was allowed to differ from that experiment, and does.' }),
  })
  .meta({ description: 'The checkpoint of another experiment from which one began.' });
export type ExperimentOrigin = z.infer<typeof ExperimentOrigin>;

/** To whom something belongs. */
const Belonging = z.object({
  owner: z.string().meta({ description: 'Who submitted it; `default` until there are users.' }),
  project: z.string().meta({ description: 'The project that it belongs to; `default` until there are users.' }),
});

export const ExperimentView = z
  .object({
    id: ExperimentId,
    name: z.string().meta({ description: 'Its name, for people.' }),
    ...Belonging.shape,
    spec: ExperimentSpec.meta({ description: 'What was submitted, every default filled in.' }),
    datasets: z.record(DatasetRole, DatasetId).meta({ description: 'Ids of its datasets, by role.' }),
    programSha256: Sha256.nullable().meta({
      description:
        'SHA-256 of the module of its program, whatever has been published under the name since; null of one that was ' +
        'submitted before programs had one.',
    }),
    from: ExperimentOrigin.nullable().meta({
      description: 'Where it went on from; null where it began at its beginning.',
    }),
    reproduces: ExperimentId.nullable().meta({
      description: 'The experiment that it is the same as, once more; null where it was submitted by itself.',
    }),
    status: ExperimentStatus,
    reason: ReasonCode.nullable().meta({ description: 'Why it ended; null while it is active.' }),
    message: z.string().nullable().meta({
      description: 'What to know about the status: the error, or what it waits for; null where there is nothing.',
    }),
    cancelRequested: z.boolean().meta({ description: 'True once somebody asked to cancel it.' }),
    pauseRequested: z.boolean().meta({ description: 'True from a request to pause it until it is paused.' }),
    failures: z
      .int()
      .min(0)
      .meta({ description: 'Attempts charged to the failure budget, since it was last retried.' }),
    preemptions: z
      .int()
      .min(0)
      .meta({ description: 'Attempts charged to the preemption budget, since it was last retried.' }),
    losses: z.int().min(0).meta({ description: 'Losses in a row, without a checkpoint of a later step between them.' }),
    progress: ExperimentProgress.nullable().meta({ description: 'How far training is; null before its first sign.' }),
    nonFinite: NonFiniteCost.nullable().meta({
      description: 'The first of its costs that was not a finite number; null while all are.',
    }),
    result: ExperimentResult.nullable().meta({ description: 'What it has left; null until it has succeeded.' }),
    attempts: z.array(AttemptView).meta({ description: 'Its attempts, oldest first.' }),
    checkpoints: z.array(CheckpointView).meta({ description: 'Its checkpoints, newest first, at most 100.' }),
    settings: z
      .array(HyperparameterSettingView)
      .meta({ description: 'Hyperparameters that were set while it trained, or are to be: oldest first.' }),
    createdAt: Moment.meta({ description: 'When it was submitted.' }),
    startedAt: Moment.nullable().meta({ description: 'When its first attempt began; null while none has.' }),
    endedAt: Moment.nullable().meta({ description: 'When it ended; null while it has not.' }),
  })
  .meta({ description: 'An experiment as the API answers it.' });
export type ExperimentView = z.infer<typeof ExperimentView>;

export const ExperimentDryRun = ExperimentView.pick({
  name: true,
  spec: true,
  from: true,
  datasets: true,
  programSha256: true,
}).meta({ description: 'What a submission would record of an experiment.' });
export type ExperimentDryRun = z.infer<typeof ExperimentDryRun>;

export const DatasetView = z
  .object({
    id: DatasetId,
    name: z.string().meta({ description: 'Its name, by which specs of experiments refer to it.' }),
    ...Belonging.shape,
    spec: DatasetSpec.meta({ description: 'What was submitted, every default filled in.' }),
    status: DatasetStatus,
    reason: ReasonCode.nullable().meta({ description: 'Why it ended; null while it is active.' }),
    message: z.string().nullable().meta({
      description: 'What to know about the status: the error, or what it waits for; null where there is nothing.',
    }),
    cancelRequested: z.boolean().meta({ description: 'True once somebody asked to cancel its conversion.' }),
    current: z.boolean().meta({
      description:
        'Whether its name means it: false of one that has failed, and of one that is ready and superseded by another.',
    }),
    predecessor: z
      .object({
        id: DatasetId,
        sameContent: z
          .boolean()
          .nullable()
          .meta({ description: 'Whether their files are the same bytes; null while one has no file.' }),
      })
      .nullable()
      .meta({ description: 'The dataset that had its name before it; null where the name was free.' }),
    progress: DatasetProgress.nullable().meta({
      description: 'How far its conversion is; null before the first sign.',
    }),
    result: DatasetResult.nullable().meta({ description: 'The file and what is in it; null until it is `ready`.' }),
    attempts: z.array(AttemptView).meta({ description: 'Attempts at its conversion, oldest first.' }),
    createdAt: Moment.meta({ description: 'When it was submitted.' }),
    startedAt: Moment.nullable().meta({ description: 'When its first attempt began; null while none has.' }),
    endedAt: Moment.nullable().meta({ description: 'When it ended; null while it has not.' }),
  })
  .meta({ description: 'A dataset as the API answers it.' });
export type DatasetView = z.infer<typeof DatasetView>;

export const DatasetDryRun = DatasetView.pick({ name: true, spec: true })
  .extend({
    existing: DatasetId.nullable().meta({
      description: 'Id of the one that an identical request has made; null where there is none.',
    }),
    action: z.enum(['convert', 'answer', 'compare']).meta({
      description:
        'What would follow: `convert` a new one; `answer` with the existing one, as it is; or `compare` the raw files ' +
        'with those that the existing one was made of, and convert them as a new one unless they are the same.',
    }),
  })
  .meta({ description: 'What a submission would record of a dataset.' });
export type DatasetDryRun = z.infer<typeof DatasetDryRun>;

export const DatasetSummary = DatasetView.omit({ attempts: true }).meta({
  description: 'A dataset in a list: without its attempts.',
});
export type DatasetSummary = z.infer<typeof DatasetSummary>;

export const NextCursor = z.string().nullable().meta({
  description: '`cursor` of the following page, which is asked for with the same query; null on the last one.',
});

export const DatasetList = z
  .object({
    items: z.array(DatasetSummary).meta({ description: 'The datasets of this page.' }),
    nextCursor: NextCursor,
  })
  .meta({ description: 'One page of datasets, newest first.' });
export type DatasetList = z.infer<typeof DatasetList>;

/** The query of a list. */
export const ListQuery = z.strictObject({
  cursor: z.string().max(200).optional().meta({ description: '`nextCursor` of the page before.' }),
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'Items on a page, 1 to 200.' }),
});
export type ListQuery = z.infer<typeof ListQuery>;
