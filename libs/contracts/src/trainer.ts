import { z } from 'zod';

import { DatasetRole, ExperimentSpec } from './experiment-spec.js';
import { Hyperparameters, HyperparameterSetting, MAX_SETTINGS } from './hyperparameters.js';
import { Fence, SizeBytes, Step } from './ids.js';
import { LogRow, NonFiniteCost } from './log-row.js';
import { ExperimentResult } from './outcome.js';
import { ReasonCode } from './reason.js';
import { ExperimentProgress } from './worker-event.js';

/** What a worker tells its trainer. */
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
    /**
     * The checkpoint is that of another experiment, which may have ended there: training goes on to the end that this one has. With
     * `otherDatasets` its place in the data is none of theirs: an epoch of them begins. Null: it is one of its own.
     */
    fork: z.object({ otherDatasets: z.boolean() }).nullable(),
    /** The one folder that the trainer may write to. It makes its snapshots in `snapshots`, each in a folder of its own. */
    workFolder: z.string(),
    /** The module of the program. */
    programFile: z.string(),
    /** Environment variables that the program gets, secrets among them. */
    environment: z.record(z.string(), z.string()),
    /** Hyperparameters that were set while it trained, and are to be set. */
    settings: z.array(HyperparameterSetting),
  }),
  /** Set these, those that it has not set yet. */
  z.object({ type: z.literal('set'), settings: z.array(HyperparameterSetting) }),
  /** Stop at the next step boundary: with `snapshot`, hand over a final snapshot, then answer `stopped`. */
  z.object({ type: z.literal('stop'), snapshot: z.boolean().default(true) }),
  /** Wait between two steps until `go_on`: the record takes events more slowly than they come. A `stop` ends it too. */
  z.object({ type: z.literal('hold') }),
  z.object({ type: z.literal('go_on') }),
  /** The worker has committed the snapshot of this name; the trainer deletes its folder and may make the next one. */
  z.object({ type: z.literal('snapshot_committed'), name: z.string() }),
]);
export type TrainerCommand = z.infer<typeof TrainerCommand>;

/** The name of one thing in a folder that the other side knows: no path leads elsewhere. */
const PlainName = z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/);

/** The same while it is being made: it may begin with a dot. */
const UnfinishedName = z.string().regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,255}$/);

const SnapshotFile = z.object({ name: PlainName, sizeBytes: SizeBytes });

/** Of a numeric environment, as `onnxruntime-node: 1.27.0`. */
const EnvironmentEntries = z
  .record(z.string().max(200), z.union([z.string().max(1_000), z.number()]))
  .refine((entries) => Object.keys(entries).length <= 100, 'a numeric environment has at most 100 entries');

const BoundedHyperparameters = Hyperparameters.refine(
  (values) => Object.keys(values).length <= 1_000,
  'an algorithm has at most 1000 hyperparameters that can be set',
);

/** Why a trainer may say that it cannot go on. All other reasons are for the worker and the record to find. */
export const TrainerFailure = ReasonCode.extract([
  'program_error',
  'invalid_params',
  'out_of_memory',
  'worker_disk',
  'checkpoint_unreadable',
  'diverged',
]);
export type TrainerFailure = z.infer<typeof TrainerFailure>;

/**
 * What a trainer tells its worker. A trainer runs a user's program, which can say anything here: nothing in it names a
 * place outside of the trainer's own folder, gives it attempts that it has not, or is believed where the worker can look.
 */
export const TrainerMessage = z.discriminatedUnion('type', [
  /** Built and restored; training begins. */
  z.object({
    type: z.literal('started'),
    startStep: Step,
    engine: z.string().max(200),
    environment: EnvironmentEntries,
    /** In what the environment differs from the checkpoint's. */
    environmentChanged: z.array(z.string().max(3_000)).max(200).default([]),
    /** What can be set, and what it is now. */
    hyperparameters: BoundedHyperparameters.default({}),
  }),
  /** A setting was applied when so many batches were done; also of one that its checkpoint has already. */
  z.object({ type: z.literal('hyperparameters_set'), number: z.int().min(1).max(MAX_SETTINGS), step: Step }),
  z.object({ type: z.literal('progress'), ...ExperimentProgress.shape }),
  z.object({ type: z.literal('log_row'), step: Step, row: LogRow }),
  /** Its cost is not a finite number: said once, with the first. */
  z.object({ type: z.literal('non_finite'), ...NonFiniteCost.shape }),
  /**
   * So many of the first bytes of a file in the folder `snapshots/<folder>` are written and stay as they are, though the snapshot that it is
   * of is not finished: they can be read meanwhile. Said of large files only.
   */
  z.object({
    type: z.literal('snapshot_growing'),
    folder: UnfinishedName,
    file: UnfinishedName,
    sizeBytes: SizeBytes,
  }),
  /** A finished snapshot lies in the folder `snapshots/<name>`. `final`: nothing is trained after it. */
  z.object({
    type: z.literal('snapshot'),
    name: PlainName,
    step: Step,
    files: z.array(SnapshotFile).min(1).max(1_000),
    environment: EnvironmentEntries,
    final: z.boolean(),
  }),
  /** It cannot go on. Last message. */
  z.object({
    type: z.literal('failed'),
    reason: TrainerFailure,
    message: z.string(),
    stack: z.string().optional(),
    step: Step.optional(),
  }),
  /** Trained to the end; the final snapshot was sent before. Last message. */
  z.object({
    type: z.literal('finished'),
    step: Step,
    lastRow: ExperimentResult.shape.lastRow,
    /** The file of the final snapshot whose SHA-256 is that of the parameters. */
    parametersFile: PlainName,
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
