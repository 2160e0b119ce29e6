import { z } from 'zod';

import { DatasetFile, DatasetSpec } from './dataset-spec.js';
import { DatasetRole, ExperimentSpec } from './experiment-spec.js';
import { HyperparameterSetting } from './hyperparameters.js';
import { DatasetId, ExperimentId, Fence, Kind } from './ids.js';
import { DatasetResult } from './outcome.js';
import { ProgramFile } from './program.js';

/** What a queue carries: ids, and who may take them. Everything else is in the object store, at `spec.json` below the lease's prefix. */
export const JobTicket = z.object({
  /** Experiment or dataset. */
  id: z.string(),
  /** The fence under which the lease may be acquired, once. */
  fence: Fence,
  /** What it asks of a worker's engines, see `askedEngine`: one that has it not leaves it to others. Any may take a job without. */
  engine: z.string().optional(),
  /** Workers that leave it to others: they lost it, or are unfit, and another one is there. */
  avoid: z.array(z.string()).optional(),
});
export type JobTicket = z.infer<typeof JobTicket>;

const ResolvedDatasetFile = DatasetFile.extend({ id: DatasetId });

const ResolvedExperiment3 = z.object({
  version: z.literal(3),
  id: ExperimentId,
  spec: ExperimentSpec,
  /** The module that it runs; null from before there were any in the object store. */
  program: ProgramFile.nullable(),
  /** By role. */
  datasets: z.record(DatasetRole, ResolvedDatasetFile),
  /** How long its earlier attempts ran since it was last retried, all together, in ms. */
  trainedMs: z.number().min(0).default(0),
  /** Step of the newest checkpoint that the record knows; 0 without one. Whoever finds none does not look where it was written. */
  checkpointStep: z.int().min(0).default(0),
  /** What was set while it trained, and is to be set. */
  settings: z.array(HyperparameterSetting).default([]),
});

/** From before programs were in the object store. */
const ResolvedExperiment2 = ResolvedExperiment3.omit({ program: true })
  .extend({ version: z.literal(2) })
  .transform((before): z.infer<typeof ResolvedExperiment3> => ({ ...before, version: 3, program: null }));

/** From before datasets had roles. */
const ResolvedExperiment1 = z
  .object({ version: z.literal(1), id: ExperimentId, spec: ExperimentSpec, dataset: ResolvedDatasetFile })
  .transform(({ id, spec, dataset }): z.infer<typeof ResolvedExperiment3> => ({
    version: 3,
    id,
    spec,
    program: null,
    datasets: { train: dataset },
    trainedMs: 0,
    checkpointStep: 0,
    settings: [],
  }));

/**
 * `experiments/<id>/spec.json` in the object store: an experiment with everything looked up. Version 3 is written; versions 1 and 2 are
 * read as that.
 */
export const ResolvedExperiment = z.discriminatedUnion('version', [
  ResolvedExperiment3,
  ResolvedExperiment2,
  ResolvedExperiment1,
]);
export type ResolvedExperiment = z.infer<typeof ResolvedExperiment>;

/** `datasets/<id>/spec.json` in the object store. */
export const ResolvedDataset = z.object({
  version: z.literal(1),
  id: DatasetId,
  spec: DatasetSpec,
  /** How long its earlier attempts ran, all together, in ms. */
  ranMs: z.number().min(0).default(0),
  /** The dataset that had its name before: with the same identity nothing is converted. Null where it is converted in any case. */
  predecessor: z.object({ id: DatasetId, result: DatasetResult }).nullable().default(null),
});
export type ResolvedDataset = z.infer<typeof ResolvedDataset>;

/** What the record asks of workers. Repeated until it is obeyed. */
export const WorkerCommand = z.discriminatedUnion('type', [
  /** To whichever worker runs the attempt: end it; or checkpoint and give the machine back, as if it were preempted, or because it is paused. */
  z.object({ type: z.enum(['cancel', 'preempt', 'pause']), kind: Kind, id: z.string(), fence: Fence }),
  /** To whichever worker runs the attempt: have these set, where its trainer has not. */
  z.object({
    type: z.literal('set'),
    kind: z.literal('experiment'),
    id: z.string(),
    fence: Fence,
    settings: z.array(HyperparameterSetting),
  }),
  /** To one worker: finish what runs, and take no further job. */
  z.object({ type: z.literal('drain'), workerId: z.string() }),
  /** To one worker: take jobs again, unless it was put into quarantine once more since the `quarantines`th time. */
  z.object({ type: z.literal('release'), workerId: z.string(), quarantines: z.int().min(0).optional() }),
]);
export type WorkerCommand = z.infer<typeof WorkerCommand>;
