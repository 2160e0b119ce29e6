import { z } from 'zod';

import { CheckpointPolicy } from './checkpoint-policy.js';
import { ExperimentId, Step } from './ids.js';
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

export const RetryBudget = z
  .strictObject({
    maxFailures: z
      .int()
      .min(0)
      .max(1000)
      .default(2)
      .meta({ description: 'Failed attempts that are followed by another one; 0 makes the first failure final.' }),
    backoffMs: z
      .int()
      .min(0)
      .max(3_600_000)
      .default(5_000)
      .meta({
        description:
          'Pause before the attempt after the first failure, in milliseconds; doubled for each further one, at most an ' +
          'hour.',
      }),
    maxPreemptions: z
      .int()
      .min(0)
      .nullable()
      .default(null)
      .meta({ description: 'Preemptions that are followed by another attempt; null is unlimited.' }),
    maxLosses: z
      .int()
      .min(0)
      .nullable()
      .default(3)
      .meta({
        description:
          'Losses in a row that are followed by another attempt: attempts whose worker or trainer was gone without a word, ' +
          'with no checkpoint committed since the one before. Paused before like failures; null is unlimited.',
      }),
  })
  .meta({ description: 'How often an experiment is tried again.' });
export type RetryBudget = z.infer<typeof RetryBudget>;

export const Resources = z
  .strictObject({
    threads: z.int().min(1).max(1024).default(2).meta({ description: 'Threads of the engine.' }),
    engine: EngineWord.default('onnxruntime').meta({
      description: '`onnxruntime`, `tfjs`, `reference`, or another that a worker has.',
    }),
    provider: EngineWord.optional().meta({
      description:
        'What the engine computes with: `cpu`, `webgpu`, `cuda`. Default: the first of the engine that the worker can ' +
        'use.',
    }),
    device: z
      .int()
      .min(0)
      .max(1023)
      .optional()
      .meta({ description: 'Which one of several devices of the provider, from 0. Default 0.' }),
  })
  .meta({
    description: 'What the trainer gets of the machine. Fixed per experiment: the bits of the result depend on it.',
  });
export type Resources = z.infer<typeof Resources>;

export const Limits = z
  .strictObject({
    wallTimeSeconds: z.number().positive().max(MAX_SECONDS).nullable().default(null).meta({
      description:
        'Time that its attempts may train, all together, in seconds; it ends with a checkpoint then. Null is unlimited.',
    }),
    memoryBytes: z
      .int()
      .min(64 * 2 ** 20)
      .nullable()
      .default(null)
      .meta({ description: 'Memory of the trainer and all that it starts, in bytes. Null is what its worker allows.' }),
    stallSeconds: z.number().min(1).max(MAX_SECONDS).nullable().default(null).meta({
      description:
        'Longest time without a sign of progress, in seconds. Null is 20 times the median step, and at least 120.',
    }),
    firstStepSeconds: z
      .number()
      .min(1)
      .max(MAX_SECONDS)
      .default(600)
      .meta({ description: 'Longest time without a sign of progress before the first step, in seconds.' }),
  })
  .meta({ description: 'What an experiment may take at most.' });
export type Limits = z.infer<typeof Limits>;

export const DatasetRole = textLike(
  /^[a-z0-9][a-z0-9_-]{0,31}$/,
  'the role of a dataset cannot be called so',
  'give 1 to 32 of a-z, 0-9, `_`, `-`; begin with a letter or digit',
).meta({
  description: 'What an experiment uses a dataset for: `train`, `valid`, or whatever its program reads it as.',
});
export type DatasetRole = z.infer<typeof DatasetRole>;

/** Roles that an experiment may have datasets for. */
const MAX_ROLES = 16;

const DatasetReference = StorableText.min(1).max(200).meta({ description: 'Name or id of a dataset.' });

export const From = z
  .strictObject({
    experiment: ExperimentId.meta({ description: 'The id of the experiment that has it.' }),
    step: Step.optional().meta({
      description: 'Batches that it had done by then. Default: those of its newest checkpoint.',
    }),
    allow: z
      .array(z.enum(['program', 'datasets']))
      .max(2)
      .default([])
      .meta({
        description: 'In what this experiment may differ from that one, besides its parameters. Default: in nothing.',
      }),
  })
  .meta({ description: "Which of another experiment's checkpoints an experiment begins from." });
export type From = z.infer<typeof From>;

/** Tags that an experiment may have. */
export const MAX_TAGS = 50;

const Submitted = z.strictObject({
  name: StorableText.min(1)
    .max(200)
    .optional()
    .meta({ description: "Its name, for people; need not be unique. Default: the program's name." }),
  program: StorableText.min(1)
    .max(200)
    .meta({
      description:
        'Name of a published program, of which the newest is meant now, or `name@` and at least 6 of the first digits of ' +
        'its SHA-256.',
    }),
  params: JsonObject.default({}).meta({
    description: "Parameters of the program, checked by the program's own schema.",
  }),
  dataset: DatasetReference.optional().meta({
    description:
      'Name or id of the dataset, if there is one: short for `datasets: { train: … }`. Either this or `datasets` is ' +
      'given.',
  }),
  datasets: z
    .record(DatasetRole, DatasetReference)
    .refine(
      (datasets) => Object.keys(datasets).length <= MAX_ROLES,
      rule(`an experiment has at most ${MAX_ROLES} datasets`, 'leave some out'),
    )
    .optional()
    .meta({ description: 'Names or ids of datasets, by their roles, at most 16; `{}` for a program that reads none.' }),
  environment: ProgramEnvironment.optional().meta({
    description:
      'Environment variables of the program. They are on the record as they stand here: what is secret is named in ' +
      '`secrets`.',
  }),
  secrets: SecretNames.optional().meta({
    description:
      'Secrets that the program finds in its environment. Their values lie with the workers, and neither here nor on ' +
      'the record.',
  }),
  seed: z
    .int()
    .min(0)
    .default(1)
    .meta({ description: 'All randomness of the experiment is drawn from streams derived from it.' }),
  from: From.optional().meta({
    description:
      'It goes on from a checkpoint of another experiment, with the seed of that. Default: it begins at the beginning.',
  }),
  checkpoint: CheckpointPolicy.prefault({}).meta({ description: 'When checkpoints are taken and which are kept.' }),
  retry: RetryBudget.prefault({}).meta({ description: 'How often it is tried again.' }),
  resources: Resources.prefault({}).meta({ description: 'What its trainer gets of the machine.' }),
  limits: Limits.prefault({}).meta({ description: 'What it may take at most.' }),
  onNonFinite: z
    .enum(['warn', 'stop'])
    .default('warn')
    .meta({
      description:
        'What happens when its cost is not a finite number: `warn` says so and training goes on; `stop` ends it as ' +
        '`diverged`.',
    }),
  priority: z
    .int()
    .min(-1000)
    .max(1000)
    .default(0)
    .meta({ description: 'Higher runs first; within one priority, first come first served.' }),
  notes: StorableText.max(10_000).optional().meta({ description: 'Notes for people. Default: none.' }),
  tags: z
    .array(StorableText.min(1).max(100))
    .max(MAX_TAGS)
    .optional()
    .meta({ description: 'Tags, by which it is found in lists. Default: none.' }),
});
export const ExperimentSpec = Submitted.refine((spec) => spec.dataset !== undefined || spec.datasets !== undefined, {
  ...rule(
    'an experiment says which datasets it has',
    'give `dataset: <name or id>`, or several by their roles: `datasets: { train: <name or id> }`, or `datasets: {}` for a program that reads none',
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
  })
  .meta({ description: 'What a researcher submits. Unknown keys are refused at every level.' });
/** A spec with every default filled in. */
export type ExperimentSpec = z.infer<typeof ExperimentSpec>;
/** A spec as it may be written: what has a default can be left out. */
export type ExperimentSpecInput = z.input<typeof ExperimentSpec>;

const { notes, tags, priority } = Submitted.shape;
export const ExperimentChange = z
  .strictObject({
    notes: notes.meta({ description: 'Its notes from now on; an empty text takes them away.' }),
    tags: tags.meta({ description: 'All tags that it has from now on.' }),
    addTags: tags.meta({ description: 'Tags that it gets besides.' }),
    removeTags: tags.meta({ description: 'Tags that it loses, where it has them.' }),
    priority: priority
      .unwrap()
      .optional()
      .meta({ description: 'Higher runs first. Of one that waits, its place in the queue changes at once.' }),
  })
  .meta({ description: 'What is changed of an experiment that is there; what is left out stays as it is.' });
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
