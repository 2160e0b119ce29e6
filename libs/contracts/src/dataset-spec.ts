import { z } from 'zod';

import { Limits, MAX_SECONDS } from './experiment-spec.js';
import { Sha256 } from './ids.js';
import { JsonObject, StorableText } from './json.js';
import { rule, textLike } from './rule.js';

/** Where the raw files come from: a folder below the converter's root of raw files, or the published addresses. */
export const DatasetSource = z.union([
  z.strictObject({
    folder: StorableText.min(1)
      .max(1000)
      .refine(
        (folder) => !folder.startsWith('/') && !folder.split('/').includes('..'),
        rule('it would lead out of the folder of raw files', 'give a relative path below that folder, without `..`'),
      ),
  }),
  z.strictObject({ download: z.literal(true) }),
]);
export type DatasetSource = z.infer<typeof DatasetSource>;

/** What a conversion may take at most. */
export const DatasetLimits = z.strictObject({
  /** Time that its attempts may run, all together, in seconds. Null is unlimited. */
  wallTimeSeconds: Limits.shape.wallTimeSeconds,
  /** Longest time without a sign of progress, in seconds. */
  stallSeconds: z.number().min(1).max(MAX_SECONDS).default(600),
});
export type DatasetLimits = z.infer<typeof DatasetLimits>;

/** A request to convert raw files into one HDF5 file in Fuel's layout. */
export const DatasetSpec = z.strictObject({
  /** What experiments call it; unique among the datasets that have not failed. */
  name: textLike(
    /^(?!ds_)[a-z0-9][a-z0-9._-]{0,63}$/,
    'a dataset cannot be called so',
    'give 1 to 64 of a-z, 0-9, `.`, `_`, `-`; begin with a letter or digit, and not with `ds_`',
  ),
  /** Name of a registered converter, such as `fashion-mnist`. */
  converter: StorableText.min(1).max(200),
  source: DatasetSource.prefault({ download: true }),
  limits: DatasetLimits.prefault({}),
});
export type DatasetSpec = z.infer<typeof DatasetSpec>;
/** A spec as it may be written: what has a default can be left out. */
export type DatasetSpecInput = z.input<typeof DatasetSpec>;

/** One source of a converted dataset. */
export const SourceDescription = z.object({
  name: StorableText,
  dtype: StorableText,
  /** With the example axis first. */
  shape: z.array(z.int().min(0)),
  axisLabels: z.array(StorableText).nullable().default(null),
});
export type SourceDescription = z.infer<typeof SourceDescription>;

/** What is in a converted file. */
export const DatasetDescription = z.object({
  sources: z.array(SourceDescription),
  /** Examples of each split, by its name (`train`, `test`). */
  splits: z.record(StorableText, z.int().min(0)),
  /** Whatever else the converter says: its name and version. */
  attributes: JsonObject.default({}),
});
export type DatasetDescription = z.infer<typeof DatasetDescription>;

/** What a dataset was made of, and by what: the same again gives the same bytes. */
export const DatasetIdentity = z.object({
  /** Name of the converter. */
  converter: StorableText,
  converterVersion: z.int().min(0),
  /** The raw files that it read, in its own order. */
  inputs: z.array(z.object({ name: StorableText.max(1000), sizeBytes: z.int().min(0), sha256: Sha256 })).max(100),
});
export type DatasetIdentity = z.infer<typeof DatasetIdentity>;

/** The immutable file of a dataset in the object store. */
export const DatasetFile = z.object({
  /** Key in the object store: `datasets/files/<dataset id>/<sha256>.hdf5`; earlier builds left the id out. */
  fileKey: z.string(),
  sha256: Sha256,
  sizeBytes: z.int().min(0),
});
export type DatasetFile = z.infer<typeof DatasetFile>;
