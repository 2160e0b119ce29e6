import { DatasetDescription, DatasetProgress, DatasetSource, ReasonCode } from '@longrun/contracts';
import { z } from 'zod';

/** What the worker tells its converter process, over IPC: the one thing to do. */
export const ConverterAssignment = z.object({
  type: z.literal('assignment'),
  /** Name of a registered converter. */
  converter: z.string(),
  source: DatasetSource,
  /** Root of raw files, absolute. */
  rawFolder: z.string(),
  /** Where to write the HDF5 file, absolute. Its folder exists. */
  outputPath: z.string(),
});
export type ConverterAssignment = z.infer<typeof ConverterAssignment>;

/** What a converter process tells its worker. `converted` and `failed` are last messages. */
export const ConverterMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), progress: DatasetProgress }),
  /** The file is at `outputPath`, and was opened and read again. */
  z.object({ type: z.literal('converted'), description: DatasetDescription }),
  z.object({ type: z.literal('failed'), reason: ReasonCode, message: z.string() }),
]);
export type ConverterMessage = z.infer<typeof ConverterMessage>;
