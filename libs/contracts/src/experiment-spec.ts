import { z } from 'zod';

import { JsonObject, StorableText } from './json.js';

/** The engine that compiles and runs the graph. */
export const Engine = z.enum(['onnxruntime', 'reference']);
export type Engine = z.infer<typeof Engine>;

/** When checkpoints are taken and how many are kept. */
export const CheckpointPolicy = z.strictObject({
  /** Batches between two checkpoints. */
  everyBatches: z.int().min(1).default(100),
  /** Committed checkpoints kept; older ones are deleted. At least 1. */
  keepLast: z.int().min(1).max(1000).default(3),
});
export type CheckpointPolicy = z.infer<typeof CheckpointPolicy>;

/** How often an experiment is tried again. */
export const RetryBudget = z.strictObject({
  /** Failed attempts that are followed by another one; 0 makes the first failure final. */
  maxFailures: z.int().min(0).max(1000).default(2),
  /** Pause before the attempt after the first failure, in milliseconds; doubled for each further one, at most an hour. */
  backoffMs: z.int().min(0).max(3_600_000).default(5_000),
  /** Preemptions and lost workers that are followed by another attempt; null is unlimited. */
  maxPreemptions: z.int().min(0).nullable().default(null),
});
export type RetryBudget = z.infer<typeof RetryBudget>;

/** What the trainer gets of the machine. Fixed per experiment: the bits of the result depend on it. */
export const Resources = z.strictObject({
  /** Threads of the engine. */
  threads: z.int().min(1).max(1024).default(2),
  engine: Engine.default('onnxruntime'),
});
export type Resources = z.infer<typeof Resources>;

/** What a researcher submits. Unknown keys are refused at every level. */
export const ExperimentSpec = z.strictObject({
  /** For people; need not be unique. Default: the program's name. */
  name: StorableText.min(1).max(200).optional(),
  /** Name of a registered program. */
  program: StorableText.min(1).max(200),
  /** Parameters of the program, checked by the program's own schema. */
  params: JsonObject.default({}),
  /** Name or id of a dataset. */
  dataset: StorableText.min(1).max(200),
  /** All randomness of the experiment is drawn from streams derived from it. */
  seed: z.int().min(0).default(1),
  checkpoint: CheckpointPolicy.prefault({}),
  retry: RetryBudget.prefault({}),
  resources: Resources.prefault({}),
  /** Higher runs first; within one priority, first come first served. */
  priority: z.int().min(-1000).max(1000).default(0),
  notes: StorableText.max(10_000).optional(),
  tags: z.array(StorableText.min(1).max(100)).max(50).optional(),
});
/** A spec with every default filled in. */
export type ExperimentSpec = z.infer<typeof ExperimentSpec>;
/** A spec as it may be written: what has a default can be left out. */
export type ExperimentSpecInput = z.input<typeof ExperimentSpec>;
