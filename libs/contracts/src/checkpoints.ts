import { z } from 'zod';

import { Moment, Sha256, SizeBytes, Step } from './ids.js';
import { Json, StorableText } from './json.js';
import { LibraryVersions } from './library-versions.js';

const Count = z.int().min(0);

export const CheckpointFile = z
  .object({
    name: z.string().meta({ description: 'Its name in the checkpoint, such as `parameters.safetensors`.' }),
    sha256: Sha256.meta({ description: 'SHA-256 of its bytes.' }),
    sizeBytes: SizeBytes,
  })
  .meta({ description: 'A file of a checkpoint.' });
export type CheckpointFile = z.infer<typeof CheckpointFile>;

export const StoredCheckpointSummary = z
  .object({
    name: z.string().meta({ description: 'Its name: `<step>-<fence>`.' }),
    step: Step,
    fence: Count.meta({ description: 'Fence of the attempt that wrote it; 0 where it came from another experiment.' }),
    damage: z.string().nullable().meta({
      description: 'What is wrong with its manifest, a sentence without its full stop; null for one that is whole.',
    }),
    createdAt: Moment.nullable().meta({ description: 'When it was written; null where its manifest is damaged.' }),
    sizeBytes: SizeBytes.nullable().meta({
      description: 'Size of its files, in bytes; null where its manifest is damaged.',
    }),
    files: z.array(CheckpointFile).nullable().meta({ description: 'Its files; null where its manifest is damaged.' }),
    logRows: Count.nullable().meta({ description: 'Rows in its log; null where its manifest is damaged.' }),
    holds: z
      .array(
        z.object({
          name: z.string().meta({ description: '`pin`, or who needs it.' }),
          until: z
            .string()
            .nullable()
            .meta({ description: 'When by itself it keeps it no more, ISO 8601; null: never.' }),
        }),
      )
      .meta({ description: 'What keeps it, however old it is.' }),
  })
  .meta({ description: 'A checkpoint that can be restored by what the head of its experiment says.' });
export type StoredCheckpointSummary = z.infer<typeof StoredCheckpointSummary>;

export const StoredCheckpointList = z
  .object({
    fence: Count.nullable().meta({ description: 'Fence of the newest lease; null where none was ever taken.' }),
    holder: z
      .string()
      .nullable()
      .meta({ description: 'Who took the lease last, also after it was released; null where nobody has.' }),
    outcome: Json.meta({ description: 'How the run has ended; null while it has not.' }),
    log: z
      .object({
        fence: Count.meta({ description: 'Fence of the attempt.' }),
        createdAt: Moment.meta({ description: 'When it was written.' }),
        rows: Count.meta({ description: 'Rows in it.' }),
      })
      .nullable()
      .meta({
        description:
          'The log that is kept after the last checkpoint of an attempt that has ended; null where there is none.',
      }),
    items: z.array(StoredCheckpointSummary).meta({ description: 'The checkpoints, newest first.' }),
  })
  .meta({ description: 'The checkpoints of an experiment as they lie in the object store now.' });
export type StoredCheckpointList = z.infer<typeof StoredCheckpointList>;

export const CheckpointTensors = z
  .union([
    z.object({
      file: z.string().meta({ description: 'Name of the file.' }),
      tensors: z
        .array(
          z.object({
            name: z.string().meta({ description: 'Name of the tensor.' }),
            dtype: z.string().meta({ description: 'Type of its elements, such as `F32`.' }),
            shape: z.array(Count).meta({ description: 'Sizes of its axes.' }),
          }),
        )
        .meta({ description: 'What its header says is in it.' }),
    }),
    z.object({
      file: z.string().meta({ description: 'Name of the file.' }),
      reason: z.string().meta({ description: 'Why it says none.' }),
    }),
  ])
  .meta({ description: 'The tensors in a file of a checkpoint, by its header.' });
export type CheckpointTensors = z.infer<typeof CheckpointTensors>;

export const StoredCheckpointView = z
  .object({
    name: z.string().meta({ description: 'Its name: `<step>-<fence>`.' }),
    manifestKey: z.string().meta({ description: 'Key of its manifest.' }),
    sha256: Sha256.meta({ description: 'SHA-256 of its manifest.' }),
    version: z.literal(2).meta({ description: "Version of the manifest's form." }),
    step: Step,
    fence: Count.meta({ description: 'Fence of the attempt that wrote it; 0 where it came from another experiment.' }),
    createdAt: Moment.meta({ description: 'When it was written.' }),
    environment: Json.meta({ description: 'The numeric environment that made it.' }),
    programSha256: Sha256.optional().meta({
      description: 'SHA-256 of the module of the program; absent where an earlier build has written it.',
    }),
    datasets: z.record(z.string(), Sha256).optional().meta({
      description: 'SHA-256 of the files of the datasets, by role; absent where an earlier build has written it.',
    }),
    libraries: LibraryVersions.optional().meta({
      description: 'What the program imported of `@longrun/*`; absent where an earlier build has written it.',
    }),
    files: z
      .array(
        CheckpointFile.extend({
          blobKey: z.string().meta({ description: 'Key of its bytes.' }),
          copyKey: z.string().optional().meta({ description: 'Key of the other object, where it is kept twice.' }),
        }),
      )
      .meta({ description: 'What it consists of.' }),
    log: z
      .array(
        z.object({
          firstStep: Count.meta({ description: 'Step of its first row.' }),
          lastStep: Count.meta({ description: 'Step of its last row.' }),
          rows: Count.meta({ description: 'Rows in it.' }),
          textBytes: Count.meta({ description: 'Size of its text before it was compressed, in bytes.' }),
          sizeBytes: SizeBytes,
          sha256: Sha256.meta({ description: 'SHA-256 of its bytes.' }),
          keys: z.tuple([z.string(), z.string()]).meta({ description: 'Keys of its two copies.' }),
        }),
      )
      .meta({ description: 'The segments of the log of the run before the step, oldest first.' }),
    tensors: z.array(CheckpointTensors).meta({ description: 'The tensors in its files, file by file.' }),
  })
  .meta({ description: 'What a checkpoint consists of. Keys are those of the object store.' });
export type StoredCheckpointView = z.infer<typeof StoredCheckpointView>;

/** What was found of objects, every byte of them having been read. */
const Verified = z.object({
  name: z.string().meta({ description: 'Name of the checkpoint, or `log after the last checkpoint`.' }),
  objects: Count.meta({ description: 'How many there are to be.' }),
  sizeBytes: SizeBytes,
  damage: z
    .array(
      z.object({
        what: z.enum(['manifest', 'file', 'log']).meta({ description: 'What the object is.' }),
        key: z.string().meta({ description: 'Its key in the object store.' }),
        reason: z.string().meta({ description: 'What is wrong with it, a sentence without its full stop.' }),
        isLost: z.boolean().meta({ description: 'Whether no other copy is whole.' }),
      }),
    )
    .meta({ description: 'What is damaged; empty where nothing is.' }),
});

export const CheckpointFinding = z
  .union([
    Verified.extend({ step: Step.optional().meta({ description: 'Batches done; absent of the log.' }) }),
    z.object({
      name: z.string().meta({ description: 'Name of the checkpoint.' }),
      isRemoved: z.literal(true).meta({ description: 'It was removed before all of it was read.' }),
    }),
  ])
  .meta({
    description:
      'What was found of a checkpoint, of the log that is kept beside them, or that a checkpoint was removed before all ' +
      'of it was read.',
  });
export type CheckpointFinding = z.infer<typeof CheckpointFinding>;

export const CheckpointVerification = z
  .object({
    ok: z.boolean().meta({ description: 'True when nothing is damaged.' }),
    checkpoints: z.array(CheckpointFinding).meta({ description: 'What was found, checkpoint by checkpoint.' }),
  })
  .meta({ description: 'What was found of checkpoints.' });
export type CheckpointVerification = z.infer<typeof CheckpointVerification>;

/** The query of a file of a checkpoint. */
export const CheckpointFileQuery = z.strictObject({
  copy: z.coerce
    .number()
    .int()
    .min(1)
    .max(2)
    .optional()
    .meta({ description: 'Which of two copies: 1 or 2. Default: the first that is there with the right size.' }),
});
export type CheckpointFileQuery = z.infer<typeof CheckpointFileQuery>;

/** What files of a checkpoint are called by whoever trains (in `libs/blocks`), as far as others ask for them. */
export const CHECKPOINT_FILES = {
  /** The trained parameters. */
  parameters: 'parameters.safetensors',
  /** What the name of an output of the program begins with. */
  outputPrefix: 'output.',
} as const;

export const CheckpointReference = StorableText.meta({
  description: 'Which checkpoint: `latest`, a step, or a name `<step>-<fence>`.',
});

/** The query of what an experiment has made. */
export const ResultsQuery = z.strictObject({ checkpoint: CheckpointReference.default('latest') });
export type ResultsQuery = z.infer<typeof ResultsQuery>;

export const OutputList = z
  .object({
    checkpoint: z.string().meta({ description: 'Name of the checkpoint.' }),
    step: Step.meta({ description: 'Batches done at the checkpoint.' }),
    items: z.array(CheckpointFile).meta({ description: 'The files, by name.' }),
  })
  .meta({ description: 'The files that the program of an experiment had written by a checkpoint, by name.' });
export type OutputList = z.infer<typeof OutputList>;
