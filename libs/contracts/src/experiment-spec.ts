import { z } from 'zod';

import { ExperimentId } from './ids.js';
import { JsonObject, StorableText } from './json.js';
import { ProgramEnvironment, SecretNames } from './program-environment.js';
import { rule, textLike } from './rule.js';

/** A year: longer than anything is meant to take, and what a timer can still count. */
export const MAX_SECONDS = 366 * 86_400;

/** Name of an engine, which compiles and runs the graph, or of what it computes with. Which there are, workers say. */
const EngineWord = textLike(
  /^[a-z][a-z0-9-]{0,31}$/,
  'an engine or provider cannot be called so',
  'give 1 to 32 of a-z, 0-9, `-`; begin with a letter',
);

/** Which checkpoints are the best, by a record of the log. */
export const BestCheckpoints = z.strictObject({
  /**
   * Name of the record, as `valid_cost`. A checkpoint counts by its last value after the step of the checkpoint before, up to its own step; without one,
   * or with one that is no finite number, it is never the best. That none has one is said in the output of the run, after its first epoch, and as it ends.
   */
  record: StorableText.min(1).max(200),
  /** Whether low values are good, or high ones. */
  mode: z.enum(['min', 'max']).default('min'),
  /** How many are kept; of equal ones the earlier. */
  count: z.int().min(1).max(1000).default(1),
});
export type BestCheckpoints = z.infer<typeof BestCheckpoints>;

/** When checkpoints are taken and which are kept. */
export const CheckpointPolicy = z.strictObject({
  /** Batches between two checkpoints. */
  everyBatches: z.int().min(1).default(100),
  /** Newest checkpoints kept; older ones are deleted, unless another rule keeps them or they are held. At least 1. */
  keepLast: z.int().min(1).max(1000).default(3),
  /**
   * In batches: of the steps from each multiple of it up to the next the first checkpoint is kept for good, beside the last ones. Default: none
   * is.
   */
  keepEvery: z.int().min(1).optional(),
  /** The best are kept, too. Default: none. */
  keepBest: BestCheckpoints.optional(),
  /**
   * What happens when all of them are damaged: it ends and they are kept, or it begins anew from the seed, and they are kept until it
   * has a new one.
   */
  onAllDamaged: z.enum(['stop', 'restart']).default('stop'),
});
export type CheckpointPolicy = z.infer<typeof CheckpointPolicy>;

/** How often an experiment is tried again. */
export const RetryBudget = z.strictObject({
  /** Failed attempts that are followed by another one; 0 makes the first failure final. */
  maxFailures: z.int().min(0).max(1000).default(2),
  /** Pause before the attempt after the first failure, in milliseconds; doubled for each further one, at most an hour. */
  backoffMs: z.int().min(0).max(3_600_000).default(5_000),
  /** Preemptions that are followed by another attempt; null is unlimited. */
  maxPreemptions: z.int().min(0).nullable().default(null),
  /**
   * Losses in a row that are followed by another attempt: attempts whose worker or trainer was gone without a word, with no checkpoint
   * committed since the one before. Paused before like failures; null is unlimited.
   */
  maxLosses: z.int().min(0).nullable().default(3),
});
export type RetryBudget = z.infer<typeof RetryBudget>;

/** What the trainer gets of the machine. Fixed per experiment: the bits of the result depend on it. */
export const Resources = z.strictObject({
  /** Threads of the engine. */
  threads: z.int().min(1).max(1024).default(2),
  /** `onnxruntime`, `tfjs`, `reference`, or another that a worker has. */
  engine: EngineWord.default('onnxruntime'),
  /** What the engine computes with: `cpu`, `webgpu`, `cuda`. Default: the first of the engine that the worker can use. */
  provider: EngineWord.optional(),
  /** Which one of several devices of the provider, from 0. Default 0. */
  device: z.int().min(0).max(1023).optional(),
});
export type Resources = z.infer<typeof Resources>;

/** What an experiment may take at most. */
export const Limits = z.strictObject({
  /** Time that its attempts may train, all together, in seconds; it ends with a checkpoint then. Null is unlimited. */
  wallTimeSeconds: z.number().positive().max(MAX_SECONDS).nullable().default(null),
  /** Memory of the trainer and all that it starts, in bytes. Null is what its worker allows. */
  memoryBytes: z
    .int()
    .min(64 * 2 ** 20)
    .nullable()
    .default(null),
  /** Longest time without a sign of progress, in seconds. Null is 20 times the median step, and at least 120. */
  stallSeconds: z.number().min(1).max(MAX_SECONDS).nullable().default(null),
  /** Longest time without a sign of progress before the first step, in seconds. */
  firstStepSeconds: z.number().min(1).max(MAX_SECONDS).default(600),
});
export type Limits = z.infer<typeof Limits>;

/** What an experiment uses a dataset for: `train`, `valid`, or whatever its program reads it as. */
export const DatasetRole = textLike(
  /^[a-z0-9][a-z0-9_-]{0,31}$/,
  'the role of a dataset cannot be called so',
  'give 1 to 32 of a-z, 0-9, `_`, `-`; begin with a letter or digit',
);
export type DatasetRole = z.infer<typeof DatasetRole>;

/** Roles that an experiment may have datasets for. */
const MAX_ROLES = 16;

/** Name or id of a dataset. */
const DatasetReference = StorableText.min(1).max(200);

/** Which of another experiment's checkpoints an experiment begins from. */
export const From = z.strictObject({
  /** The id of the experiment that has it. */
  experiment: ExperimentId,
  /** Batches that it had done by then. Default: those of its newest checkpoint. */
  step: z.int().min(0).optional(),
  /** In what this experiment may differ from that one, besides its parameters. Default: in nothing. */
  allow: z
    .array(z.enum(['program', 'datasets']))
    .max(2)
    .default([]),
});
export type From = z.infer<typeof From>;

/** Tags that an experiment may have. */
export const MAX_TAGS = 50;

const Submitted = z.strictObject({
  /** For people; need not be unique. Default: the program's name. */
  name: StorableText.min(1).max(200).optional(),
  /** Name of a published program, of which the newest is meant now, or `name@` and at least 6 of the first digits of its SHA-256. */
  program: StorableText.min(1).max(200),
  /** Parameters of the program, checked by the program's own schema. */
  params: JsonObject.default({}),
  /** Name or id of the dataset, if there is one: short for `datasets: { train: … }`. Either this or `datasets` is given. */
  dataset: DatasetReference.optional(),
  /** Names or ids of datasets, by their roles; 1 to 16. */
  datasets: z
    .record(DatasetRole, DatasetReference)
    .refine(
      (datasets) => Object.keys(datasets).length > 0,
      rule('an experiment needs at least one dataset', 'give `{ train: <name or id> }`'),
    )
    .refine(
      (datasets) => Object.keys(datasets).length <= MAX_ROLES,
      rule(`an experiment has at most ${MAX_ROLES} datasets`, 'leave some out'),
    )
    .optional(),
  /** Environment variables of the program. They are on the record as they stand here: what is secret is named in `secrets`. */
  environment: ProgramEnvironment.optional(),
  /** Secrets that the program finds in its environment. Their values lie with the workers, and neither here nor on the record. */
  secrets: SecretNames.optional(),
  /** All randomness of the experiment is drawn from streams derived from it. */
  seed: z.int().min(0).default(1),
  /** It goes on from a checkpoint of another experiment, with the seed of that. Default: it begins at the beginning. */
  from: From.optional(),
  checkpoint: CheckpointPolicy.prefault({}),
  retry: RetryBudget.prefault({}),
  resources: Resources.prefault({}),
  limits: Limits.prefault({}),
  /** What happens when its cost is not a finite number: it is said and training goes on, or it ends as `diverged`. */
  onNonFinite: z.enum(['warn', 'stop']).default('warn'),
  /** Higher runs first; within one priority, first come first served. */
  priority: z.int().min(-1000).max(1000).default(0),
  notes: StorableText.max(10_000).optional(),
  tags: z.array(StorableText.min(1).max(100)).max(MAX_TAGS).optional(),
});
/** What a researcher submits. Unknown keys are refused at every level. */
export const ExperimentSpec = Submitted.refine((spec) => spec.dataset !== undefined || spec.datasets !== undefined, {
  ...rule(
    'an experiment needs at least one dataset',
    'give `dataset: <name or id>`, or several by their roles: `datasets: { train: <name or id> }`',
  ),
  path: ['dataset'],
  when: isKeyed,
})
  .refine((spec) => spec.dataset === undefined || spec.datasets === undefined, {
    ...rule(
      '`datasets` is given too, and `dataset` is short for `datasets: { train: … }`',
      'remove it, or give all datasets in `datasets`',
    ),
    path: ['dataset'],
    when: isKeyed,
  })
  .refine(({ environment = {}, secrets = [] }) => !secrets.some((name) => name in environment), {
    ...rule('a secret has a value in `environment` too, where everybody reads it', 'leave it out of one of them'),
    path: ['secrets'],
    when: isKeyed,
  });
/** A spec with every default filled in. */
export type ExperimentSpec = z.infer<typeof ExperimentSpec>;
/** A spec as it may be written: what has a default can be left out. */
export type ExperimentSpecInput = z.input<typeof ExperimentSpec>;

const { notes, tags, priority } = Submitted.shape;
/** What is changed of an experiment that is there; what is left out stays as it is. */
export const ExperimentChange = z.strictObject({
  /** An empty text takes them away. */
  notes,
  /** All tags that it has from now on. */
  tags,
  /** Tags that it gets besides. */
  addTags: tags,
  /** Tags that it loses, where it has them. */
  removeTags: tags,
  /** Of one that waits, its place in the queue changes at once. */
  priority: priority.unwrap().optional(),
});
export type ExperimentChange = z.infer<typeof ExperimentChange>;

/** The datasets of an experiment, names or ids, by their roles, in whichever way they were given. */
export function datasetsOf({
  dataset,
  datasets,
}: Pick<ExperimentSpec, 'dataset' | 'datasets'>): Record<string, string> {
  if (datasets !== undefined) return datasets;
  if (dataset === undefined) throw new Error('The spec has neither dataset nor datasets; parse it by ExperimentSpec');
  return { train: dataset };
}

/** True for what has keys, even if other things are wrong with it: all faults are said at once. */
function isKeyed({ value }: { readonly value: unknown }): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
