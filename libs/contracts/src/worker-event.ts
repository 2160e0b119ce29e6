import { z } from 'zod';

import { assertNever } from './assert-never.js';
import { Hyperparameters } from './hyperparameters.js';
import { Fence, Kind, Moment, SizeBytes, Step } from './ids.js';
import { Json, StorableText } from './json.js';
import { LibraryChange, LibraryVersions } from './library-versions.js';
import { LogRow, NonFiniteCost } from './log-row.js';
import { DatasetResult, ExperimentResult } from './outcome.js';
import { ReasonCode } from './reason.js';

export const RejectedCheckpoint = z
  .object({
    manifestKey: z.string().meta({ description: 'Key of its manifest in the object store.' }),
    step: Step,
    reason: z.string().meta({ description: 'What is wrong with it.' }),
  })
  .meta({ description: 'A checkpoint that was found damaged and passed over.' });
export type RejectedCheckpoint = z.infer<typeof RejectedCheckpoint>;

export const OutputStream = z
  .enum(['stdout', 'stderr'])
  .meta({ description: 'Which of the two output streams a line was written to.' });
export type OutputStream = z.infer<typeof OutputStream>;

export const ExperimentProgress = z
  .object({
    step: Step.meta({ description: 'Batches done, in all attempts together.' }),
    epoch: z.int().min(0).meta({ description: 'Training epochs done.' }),
    stepsPerEpoch: z.int().min(1).optional().meta({ description: 'Batches in an epoch, where that is known.' }),
    totalSteps: z
      .int()
      .min(1)
      .optional()
      .meta({ description: 'Batches when it will be finished, where the program knows.' }),
    stepsPerSecond: z.number().min(0).meta({ description: 'Batches per second, lately.' }),
  })
  .meta({ description: 'How far training is.' });
export type ExperimentProgress = z.infer<typeof ExperimentProgress>;

export const DatasetProgress = z
  .object({
    phase: z
      .enum(['downloading', 'hashing', 'converting', 'publishing'])
      .meta({ description: 'What the worker does.' }),
    what: StorableText.max(4_096).meta({ description: 'What is being worked on: a file or a source.' }),
    done: z.number().min(0).meta({ description: 'How much of it is done, in `unit`.' }),
    total: z
      .number()
      .min(0)
      .optional()
      .meta({ description: 'How much there is, in `unit`; absent where that is not known.' }),
    unit: z.enum(['bytes', 'examples']).meta({ description: 'In what it is counted.' }),
  })
  .meta({ description: 'How far a conversion is.' });
export type DatasetProgress = z.infer<typeof DatasetProgress>;

/** What a worker tells about an attempt at an experiment. */
export const ExperimentEvent = z.discriminatedUnion('type', [
  /** The trainer has built the program and loaded its checkpoint. Log rows beyond `startStep` are void from now on. */
  z.object({
    type: z.literal('attempt_started'),
    workerId: z.string(),
    /** Batches that the checkpoint had done; 0 without one. */
    startStep: Step,
    engine: z.string(),
    /** Numeric environment: bits repeat only where it is equal. */
    environment: Json,
    /** Manifest key of the checkpoint it goes on from. */
    restoredFrom: z.string().optional(),
    /** Names of environment entries that differ from the checkpoint's. */
    environmentChanged: z.array(z.string()).optional(),
    rejectedCheckpoints: z.array(RejectedCheckpoint).default([]),
    /** What the program imports of `@longrun/*`, and in what that differs from the checkpoint's. Earlier workers did not say. */
    libraries: LibraryVersions.optional(),
    librariesChanged: z.array(LibraryChange).optional(),
    /** What can be set while it trains, as it is at the start. Workers of older builds do not say it. */
    hyperparameters: Hyperparameters.optional(),
  }),
  /** A setting of hyperparameters was applied when so many batches were done. */
  z.object({ type: z.literal('hyperparameters_set'), number: z.int().min(1), step: Step }),
  /** The worker is alive and holds the lease. Sent every `heartbeatMs` from the claim to the end. */
  z.object({ type: z.literal('heartbeat'), step: Step }),
  z.object({ type: z.literal('progress'), ...ExperimentProgress.shape }),
  z.object({ type: z.literal('log_row'), step: Step, row: LogRow }),
  /** The first cost of the attempt that is not a finite number. */
  z.object({ type: z.literal('non_finite'), ...NonFiniteCost.shape }),
  /** Log rows up to this step were not all sent, as the record was away for long: the checkpoints' log has them. */
  z.object({ type: z.literal('log_skipped'), toStep: Step }),
  /** One line that the trainer printed, without its line end. */
  z.object({ type: z.literal('line'), stream: OutputStream, text: z.string() }),
  z.object({ type: z.literal('checkpoint_committed'), step: Step, sizeBytes: SizeBytes }),
  /** The last event of an attempt, sent after the lease's head was written. */
  z.object({
    type: z.literal('attempt_ended'),
    /** Who had it. */
    workerId: z.string().optional(),
    reason: ReasonCode,
    message: z.string().optional(),
    /** With reason `succeeded`. */
    result: ExperimentResult.optional(),
    /** Batches done, in all attempts together. */
    step: Step,
    /** Batches that this attempt ran. */
    stepsRun: z.int().min(0),
    /** Largest resident set of the trainer. */
    peakMemoryBytes: z.int().min(0),
  }),
]);
export type ExperimentEvent = z.infer<typeof ExperimentEvent>;

/** What a worker tells about an attempt at a conversion. */
export const DatasetEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('dataset_started'), workerId: z.string() }),
  /** The worker is alive and holds the lease. */
  z.object({ type: z.literal('dataset_heartbeat') }),
  z.object({ type: z.literal('dataset_progress'), ...DatasetProgress.shape }),
  /** The last event of an attempt, sent after the lease's head was written. */
  z.object({
    type: z.literal('dataset_ended'),
    /** Who had it. */
    workerId: z.string().optional(),
    reason: ReasonCode,
    message: z.string().optional(),
    /** With reason `succeeded`. */
    result: DatasetResult.optional(),
    peakMemoryBytes: z.int().min(0),
  }),
]);
export type DatasetEvent = z.infer<typeof DatasetEvent>;

/** What travels from workers to the record. */
export const WorkerEvent = z.union([ExperimentEvent, DatasetEvent]);
export type WorkerEvent = z.infer<typeof WorkerEvent>;

/** A worker's event on its way through Redis. */
export const EventEnvelope = z.object({
  kind: Kind,
  id: z.string(),
  fence: Fence,
  /** 1, 2, 3, … per attempt for events that are kept; 0 for those that may be lost (see {@link isEphemeral}). */
  seq: z.int().min(0),
  /** When the worker sent it, by its clock. */
  at: Moment,
  event: WorkerEvent,
});
export type EventEnvelope = z.infer<typeof EventEnvelope>;

/** True for events of which only the newest matters: they are never sent again and may be lost. */
export function isEphemeral(event: WorkerEvent): boolean {
  switch (event.type) {
    case 'heartbeat':
    case 'progress':
    case 'dataset_heartbeat':
    case 'dataset_progress':
      return true;
    case 'attempt_started':
    case 'hyperparameters_set':
    case 'log_row':
    case 'non_finite':
    case 'log_skipped':
    case 'line':
    case 'checkpoint_committed':
    case 'attempt_ended':
    case 'dataset_started':
    case 'dataset_ended':
      return false;
    default:
      return assertNever(event, 'worker event');
  }
}
