import { z } from 'zod';

import { DatasetRole, ExperimentSpec } from './experiment-spec.js';
import { Fence } from './ids.js';
import { Json } from './json.js';
import { LogRow, NonFiniteCost } from './log-row.js';
import { ExperimentResult } from './outcome.js';
import { ReasonCode } from './reason.js';
import { ExperimentProgress } from './worker-event.js';

const Step = z.int().min(0);

/** What a worker tells its trainer, over IPC. */
export const TrainerCommand = z.discriminatedUnion('type', [
  /** The first message: what to train. All paths are absolute and local. */
  z.object({
    type: z.literal('assignment'),
    experimentId: z.string(),
    fence: Fence,
    spec: ExperimentSpec,
    /** The HDF5 files of the datasets, by role. */
    datasetFiles: z.record(DatasetRole, z.string()),
    /** A verified checkpoint to go on from; null starts from the seed. */
    checkpointFolder: z.string().nullable(),
    /** Folder in which the trainer makes its snapshots, each in a folder of its own. */
    snapshotFolder: z.string(),
    /** Folder of program modules. */
    programsFolder: z.string(),
  }),
  /** Stop at the next step boundary: with `snapshot`, hand over a final snapshot, then answer `stopped`. */
  z.object({ type: z.literal('stop'), snapshot: z.boolean().default(true) }),
  /** Wait between two steps until `go_on`: the record takes events more slowly than they come. A `stop` ends it too. */
  z.object({ type: z.literal('hold') }),
  z.object({ type: z.literal('go_on') }),
  /** The worker has committed or discarded the snapshot; the trainer may delete its folder and make the next one. */
  z.object({ type: z.literal('snapshot_committed'), folder: z.string(), step: Step }),
]);
export type TrainerCommand = z.infer<typeof TrainerCommand>;

const SnapshotFile = z.object({
  name: z.string(),
  path: z.string(),
  sha256: z.string(),
  sizeBytes: z.int().min(0),
});

/** What a trainer tells its worker, over IPC. */
export const TrainerMessage = z.discriminatedUnion('type', [
  /** Built and restored; training begins. */
  z.object({
    type: z.literal('started'),
    startStep: Step,
    engine: z.string(),
    environment: Json,
    /** Names of environment entries that differ from the checkpoint's. */
    environmentChanged: z.array(z.string()).default([]),
  }),
  z.object({ type: z.literal('progress'), ...ExperimentProgress.shape }),
  z.object({ type: z.literal('log_row'), step: Step, row: LogRow }),
  /** Its cost is not a finite number: said once, with the first. */
  z.object({ type: z.literal('non_finite'), ...NonFiniteCost.shape }),
  /** A finished snapshot lies on the local disk. `final`: nothing is trained after it. */
  z.object({
    type: z.literal('snapshot'),
    folder: z.string(),
    step: Step,
    files: z.array(SnapshotFile),
    environment: Json,
    final: z.boolean(),
  }),
  /** It cannot go on. Last message. */
  z.object({
    type: z.literal('failed'),
    reason: ReasonCode,
    message: z.string(),
    stack: z.string().optional(),
    step: Step.optional(),
  }),
  /** Trained to the end; the final snapshot was sent before. Last message. */
  z.object({
    type: z.literal('finished'),
    step: Step,
    result: ExperimentResult,
    /** Largest resident set of the trainer. */
    peakMemoryBytes: z.int().min(0).optional(),
  }),
  /** Stopped on request. Last message. */
  z.object({
    type: z.literal('stopped'),
    step: Step,
    /** Largest resident set of the trainer. */
    peakMemoryBytes: z.int().min(0).optional(),
  }),
]);
export type TrainerMessage = z.infer<typeof TrainerMessage>;
