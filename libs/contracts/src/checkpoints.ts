import { z } from 'zod';

import { Moment, Sha256 } from './ids.js';
import { Json, StorableText } from './json.js';
import { LibraryVersions } from './library-versions.js';

const Count = z.int().min(0);

/** A file of a checkpoint. */
export const CheckpointFile = z.object({ name: z.string(), sha256: Sha256, sizeBytes: Count });
export type CheckpointFile = z.infer<typeof CheckpointFile>;

/** A checkpoint that can be restored by what the head of its experiment says. */
export const StoredCheckpointSummary = z.object({
  /** `<step>-<fence>` */
  name: z.string(),
  step: Count,
  fence: Count,
  /** What is wrong with its manifest, a sentence without its full stop; null for one that is whole. What the manifest says is null where it is damaged. */
  damage: z.string().nullable(),
  createdAt: Moment.nullable(),
  /** Of its files. */
  sizeBytes: Count.nullable(),
  files: z.array(CheckpointFile).nullable(),
  /** Rows in its log. */
  logRows: Count.nullable(),
  /** What keeps it, however old it is: `pin`, or whoever needs it; `until` when by itself it does no more, null: never. */
  holds: z.array(z.object({ name: z.string(), until: z.string().nullable() })),
});
export type StoredCheckpointSummary = z.infer<typeof StoredCheckpointSummary>;

/** The checkpoints of an experiment as they lie in the object store now. */
export const StoredCheckpointList = z.object({
  /** Of whoever wrote last; null where nobody has. */
  fence: Count.nullable(),
  holder: z.string().nullable(),
  /** How the run has ended; null while it has not. */
  outcome: Json,
  /** The log that is kept after the last checkpoint of an attempt that has ended. */
  log: z.object({ fence: Count, createdAt: Moment, rows: Count }).nullable(),
  /** Newest first. */
  items: z.array(StoredCheckpointSummary),
});
export type StoredCheckpointList = z.infer<typeof StoredCheckpointList>;

/** The tensors in a file of a checkpoint, by its header. */
export const CheckpointTensors = z.union([
  z.object({
    file: z.string(),
    tensors: z.array(z.object({ name: z.string(), dtype: z.string(), shape: z.array(Count) })),
  }),
  /** Why it says none. */
  z.object({ file: z.string(), reason: z.string() }),
]);
export type CheckpointTensors = z.infer<typeof CheckpointTensors>;

/** What a checkpoint consists of. Keys are those of the object store. */
export const StoredCheckpointView = z.object({
  /** `<step>-<fence>` */
  name: z.string(),
  manifestKey: z.string(),
  /** Of the manifest. */
  sha256: Sha256,
  /** Of the manifest's form. */
  version: z.literal(2),
  step: Count,
  fence: Count,
  createdAt: Moment,
  /** The numeric environment that made it. */
  environment: Json,
  /** SHA-256 of the module of the program, and of the files of the datasets by role; absent where an earlier build has written it. */
  programSha256: Sha256.optional(),
  datasets: z.record(z.string(), Sha256).optional(),
  /** What the program imported of `@longrun/*`; absent where an earlier build has written it. */
  libraries: LibraryVersions.optional(),
  /** Of what is kept twice, `copyKey` is the other object. */
  files: z.array(CheckpointFile.extend({ blobKey: z.string(), copyKey: z.string().optional() })),
  /** The segments of the log of the run before the step, oldest first. */
  log: z.array(
    z.object({
      firstStep: Count,
      lastStep: Count,
      rows: Count,
      textBytes: Count,
      sizeBytes: Count,
      sha256: Sha256,
      keys: z.tuple([z.string(), z.string()]),
    }),
  ),
  /** By file. */
  tensors: z.array(CheckpointTensors),
});
export type StoredCheckpointView = z.infer<typeof StoredCheckpointView>;

/** What was found of objects, every byte of them having been read. */
const Verified = z.object({
  name: z.string(),
  /** How many there are to be. */
  objects: Count,
  sizeBytes: Count,
  damage: z.array(
    z.object({
      what: z.enum(['manifest', 'file', 'log']),
      key: z.string(),
      /** A sentence without its full stop. */
      reason: z.string(),
      /** No other copy is whole. */
      isLost: z.boolean(),
    }),
  ),
});

/** What was found of a checkpoint, of the log that is kept beside them, or that a checkpoint was removed before all of it was read. */
export const CheckpointFinding = z.union([
  Verified.extend({ step: Count.optional() }),
  z.object({ name: z.string(), isRemoved: z.literal(true) }),
]);
export type CheckpointFinding = z.infer<typeof CheckpointFinding>;

/** What was found of checkpoints; `ok` says that nothing is damaged. */
export const CheckpointVerification = z.object({ ok: z.boolean(), checkpoints: z.array(CheckpointFinding) });
export type CheckpointVerification = z.infer<typeof CheckpointVerification>;

/** The query of a file of a checkpoint. */
export const CheckpointFileQuery = z.strictObject({
  /** Which of two copies: 1 or 2. Default: the first that is there with the right size. */
  copy: z.coerce.number().int().min(1).max(2).optional(),
});
export type CheckpointFileQuery = z.infer<typeof CheckpointFileQuery>;

/** What files of a checkpoint are called by whoever trains (in `libs/blocks`), as far as others ask for them. */
export const CHECKPOINT_FILES = {
  /** The trained parameters. */
  parameters: 'parameters.safetensors',
  /** What the name of an output of the program begins with. */
  outputPrefix: 'output.',
} as const;

/** The query of what an experiment has made. */
export const ResultsQuery = z.strictObject({
  /** `latest`, a step, or a name `<step>-<fence>`. Default `latest`. */
  checkpoint: StorableText.default('latest'),
});
export type ResultsQuery = z.infer<typeof ResultsQuery>;

/** The files that the program of an experiment had written by a checkpoint, by name. */
export const OutputList = z.object({
  /** The name of the checkpoint. */
  checkpoint: z.string(),
  step: Count,
  items: z.array(CheckpointFile),
});
export type OutputList = z.infer<typeof OutputList>;
