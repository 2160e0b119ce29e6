import {
  DatasetDescription,
  DatasetIdentity,
  DatasetProgress,
  DatasetSource,
  JsonObject,
  ReasonCode,
} from '@longrun/contracts';
import { z } from 'zod';

/** What the worker tells its converter process: the one thing to do. */
export const ConverterAssignment = z.object({
  type: z.literal('assignment'),
  /** Name of a registered converter. */
  converter: z.string(),
  /** What the converter is told, as the spec says it. */
  params: JsonObject,
  source: DatasetSource,
  /** Root of raw files, absolute. It is only read. */
  rawFolder: z.string(),
  /** Where to download to, absolute: the worker looks there for what is to be kept, once the converter has gone. */
  downloadFolder: z.string(),
  /** Where to write the HDF5 file, absolute. Its folder exists. */
  outputPath: z.string(),
  /** Of raw files with this identity nothing is made. Null: whatever they are, they are converted. */
  known: DatasetIdentity.nullable(),
});
export type ConverterAssignment = z.infer<typeof ConverterAssignment>;

/** Why a converter may say that it failed. All other reasons are for the worker and the record to find. */
export const ConverterFailure = ReasonCode.extract([
  'invalid_params',
  'dataset_corrupt',
  'dataset_changed',
  'dataset_unavailable',
  'storage_error',
  'internal_error',
]);
export type ConverterFailure = z.infer<typeof ConverterFailure>;

/** Of a description as JSON: it stands in the head of the lease, in the record, and in lists, many at once. */
const MAX_DESCRIPTION_BYTES = 64 * 1024;

const BoundedDescription = DatasetDescription.refine(
  (description) => Buffer.byteLength(JSON.stringify(description)) <= MAX_DESCRIPTION_BYTES,
  `a description has at most ${MAX_DESCRIPTION_BYTES} bytes as JSON; it needs fewer attributes`,
);

/**
 * What a converter process tells its worker. `unchanged`, `converted` and `failed` are last messages. A converter reads hostile files: nothing in it
 * names a place, and what lies at `outputPath` the worker looks at itself.
 */
export const ConverterMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), progress: DatasetProgress }),
  /** The file is at `outputPath`, and was opened and read again. */
  z.object({ type: z.literal('converted'), description: BoundedDescription, identity: DatasetIdentity }),
  /** The raw files have the identity that the worker knows; there is no file. */
  z.object({ type: z.literal('unchanged') }),
  z.object({ type: z.literal('failed'), reason: ConverterFailure, message: z.string() }),
]);
export type ConverterMessage = z.infer<typeof ConverterMessage>;
