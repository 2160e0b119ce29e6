import { z } from 'zod';

import { DatasetSpec } from './dataset-spec.js';
import { DatasetRole, ExperimentSpec } from './experiment-spec.js';
import { Hyperparameters, HyperparameterSettingView } from './hyperparameters.js';
import { DatasetId, ExperimentId, Fence, Moment, Sha256 } from './ids.js';
import { Json } from './json.js';
import { LibraryVersions } from './library-versions.js';
import { NonFiniteCost } from './log-row.js';
import { DatasetResult, ExperimentResult } from './outcome.js';
import { ReasonCode } from './reason.js';
import { DatasetStatus, ExperimentStatus } from './status.js';
import { DatasetProgress, ExperimentProgress, RejectedCheckpoint } from './worker-event.js';

const Step = z.int().min(0);

/** One try at an experiment or a dataset, from its place in the queue to its end. */
export const AttemptView = z.object({
  fence: Fence,
  status: z.enum(['enqueued', 'running', 'ended']),
  workerId: z.string().nullable(),
  enqueuedAt: Moment,
  startedAt: Moment.nullable(),
  endedAt: Moment.nullable(),
  reason: ReasonCode.nullable(),
  message: z.string().nullable(),
  /** Batches that the checkpoint had done which it went on from. */
  startStep: Step.nullable(),
  /** Batches done when it ended, or at the last sign of life. */
  lastStep: Step.nullable(),
  /** Batches that this attempt ran; known at its end. */
  stepsRun: z.int().min(0).nullable(),
  peakMemoryBytes: z.int().min(0).nullable(),
  engine: z.string().nullable(),
  environment: Json,
  /** What its program imported of `@longrun/*`; null where it has not begun, or its worker did not say. */
  libraries: LibraryVersions.nullable(),
  restoredFrom: z.string().nullable(),
  rejectedCheckpoints: z.array(RejectedCheckpoint),
  /** What can be set while it trains, as it was at the start; null while it is not known. */
  hyperparameters: Hyperparameters.nullable(),
});
export type AttemptView = z.infer<typeof AttemptView>;

/** A checkpoint that was committed. Older ones may have been deleted since, if no rule of its `checkpoint` policy keeps them. */
export const CheckpointView = z.object({ step: Step, fence: Fence, sizeBytes: z.int().min(0), at: Moment });
export type CheckpointView = z.infer<typeof CheckpointView>;

/** The checkpoint of another experiment from which one began. */
export const ExperimentOrigin = z.object({
  experiment: ExperimentId,
  step: Step,
  /** Of its manifest. */
  sha256: Sha256,
  /** What was allowed to differ from that experiment, and does. */
  changed: z.array(z.enum(['program', 'datasets'])),
});
export type ExperimentOrigin = z.infer<typeof ExperimentOrigin>;

/** To whom something belongs. `default` until there are users. */
const Belonging = z.object({
  /** Who submitted it. */
  owner: z.string(),
  /** In which project. */
  project: z.string(),
});

/** An experiment as the API answers it. */
export const ExperimentView = z.object({
  id: ExperimentId,
  name: z.string(),
  ...Belonging.shape,
  spec: ExperimentSpec,
  /** Ids of its datasets, by role. */
  datasets: z.record(DatasetRole, DatasetId),
  /** Of the module of its program, whatever has been published under the name since; null of one that was submitted before programs had one. */
  programSha256: Sha256.nullable(),
  /** Where it went on from; null where it began at its beginning. */
  from: ExperimentOrigin.nullable(),
  /** The experiment that it is the same as, once more; null where it was submitted by itself. */
  reproduces: ExperimentId.nullable(),
  status: ExperimentStatus,
  /** Why it ended; null while it is active. */
  reason: ReasonCode.nullable(),
  /** What to know about the status: the error, or what it waits for. */
  message: z.string().nullable(),
  /** True once somebody asked to cancel it. */
  cancelRequested: z.boolean(),
  /** True from a request to pause it until it is paused. */
  pauseRequested: z.boolean(),
  /** Attempts charged to the failure budget, since it was last retried. */
  failures: z.int().min(0),
  /** Attempts charged to the preemption budget, since it was last retried. */
  preemptions: z.int().min(0),
  /** Losses in a row, without a checkpoint of a later step between them. */
  losses: z.int().min(0),
  progress: ExperimentProgress.nullable(),
  /** The first of its costs that was not a finite number; null while all are. */
  nonFinite: NonFiniteCost.nullable(),
  result: ExperimentResult.nullable(),
  /** Oldest first. */
  attempts: z.array(AttemptView),
  /** Newest first, at most 100. */
  checkpoints: z.array(CheckpointView),
  /** Hyperparameters that were set while it trained, or are to be: oldest first. */
  settings: z.array(HyperparameterSettingView),
  createdAt: Moment,
  startedAt: Moment.nullable(),
  endedAt: Moment.nullable(),
});
export type ExperimentView = z.infer<typeof ExperimentView>;

/** What a submission would record of an experiment. */
export const ExperimentDryRun = ExperimentView.pick({
  name: true,
  spec: true,
  from: true,
  datasets: true,
  programSha256: true,
});
export type ExperimentDryRun = z.infer<typeof ExperimentDryRun>;

/** A dataset as the API answers it. */
export const DatasetView = z.object({
  id: DatasetId,
  name: z.string(),
  ...Belonging.shape,
  spec: DatasetSpec,
  status: DatasetStatus,
  reason: ReasonCode.nullable(),
  message: z.string().nullable(),
  /** True once somebody asked to cancel its conversion. */
  cancelRequested: z.boolean(),
  /** Whether its name means it: false of one that has failed, and of one that is ready and superseded by another. */
  current: z.boolean(),
  /**
   * The dataset that had its name before it, and whether their files are the same bytes; that is null while one has no file. Null where its name
   * was free.
   */
  predecessor: z.object({ id: DatasetId, sameContent: z.boolean().nullable() }).nullable(),
  progress: DatasetProgress.nullable(),
  /** The file and what is in it, once `ready`. */
  result: DatasetResult.nullable(),
  attempts: z.array(AttemptView),
  createdAt: Moment,
  startedAt: Moment.nullable(),
  endedAt: Moment.nullable(),
});
export type DatasetView = z.infer<typeof DatasetView>;

/** What a submission would record of a dataset. */
export const DatasetDryRun = DatasetView.pick({ name: true, spec: true }).extend({
  /** The one that an identical request has made; null where there is none. */
  existing: DatasetId.nullable(),
  /**
   * What would follow: `convert` a new one; `answer` with the existing one, as it is; or `compare` the raw files with those that the existing one
   * was made of, and convert them as a new one unless they are the same.
   */
  action: z.enum(['convert', 'answer', 'compare']),
});
export type DatasetDryRun = z.infer<typeof DatasetDryRun>;

/** A dataset in a list: without its attempts. */
export const DatasetSummary = DatasetView.omit({ attempts: true });
export type DatasetSummary = z.infer<typeof DatasetSummary>;

/** One page of datasets, newest first; `nextCursor` asks for the following one, null at the end. */
export const DatasetList = z.object({ items: z.array(DatasetSummary), nextCursor: z.string().nullable() });
export type DatasetList = z.infer<typeof DatasetList>;

/** The query of a list. */
export const ListQuery = z.strictObject({
  /** `nextCursor` of the page before. */
  cursor: z.string().max(200).optional(),
  /** Items on a page, 1 to 200. */
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export type ListQuery = z.infer<typeof ListQuery>;
