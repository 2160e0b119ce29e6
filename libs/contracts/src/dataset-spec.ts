import { z } from 'zod';

import { Limits, MAX_SECONDS } from './experiment-spec.js';
import { Sha256, SizeBytes } from './ids.js';
import { JsonObject, StorableText } from './json.js';
import { rule, textLike } from './rule.js';

export const DatasetSource = z
  .union([
    z.strictObject({
      folder: StorableText.min(1)
        .max(1000)
        .refine(
          (folder) => !folder.startsWith('/') && !folder.split('/').includes('..'),
          rule('it would lead out of the folder of raw files', 'give a relative path below that folder, without `..`'),
        )
        .meta({ description: "A folder with the raw files: a relative path below the converter's root of raw files." }),
    }),
    z.strictObject({
      download: z
        .literal(true)
        .meta({ description: 'The raw files are downloaded from the addresses where they are published.' }),
    }),
  ])
  .meta({
    description:
      "Where the raw files come from: a folder below the converter's root of raw files, or the published addresses.",
  });
export type DatasetSource = z.infer<typeof DatasetSource>;

export const DatasetLimits = z
  .strictObject({
    wallTimeSeconds: Limits.shape.wallTimeSeconds.meta({
      description: 'Time that its attempts may run, all together, in seconds. Null is unlimited.',
    }),
    stallSeconds: z
      .number()
      .min(1)
      .max(MAX_SECONDS)
      .default(600)
      .meta({ description: 'Longest time without a sign of progress, in seconds.' }),
  })
  .meta({ description: 'What a conversion may take at most.' });
export type DatasetLimits = z.infer<typeof DatasetLimits>;

export const DatasetSpec = z
  .strictObject({
    name: textLike(
      /^(?!ds_)[a-z0-9][a-z0-9._-]{0,63}$/,
      'a dataset cannot be called so',
      'give 1 to 64 of a-z, 0-9, `.`, `_`, `-`; begin with a letter or digit, and not with `ds_`',
    ).meta({ description: 'What experiments call it; unique among the datasets that have not failed.' }),
    converter: StorableText.min(1)
      .max(200)
      .meta({ description: 'Name of a registered converter, such as `fashion-mnist`.' }),
    params: JsonObject.default({}).meta({
      description: "Params of the converter, checked by the converter's own schema. Default: none but its defaults.",
      examples: [{ size: 16 }],
    }),
    source: DatasetSource.prefault({ download: true }).meta({
      description: 'Where the raw files come from. Default: they are downloaded.',
    }),
    limits: DatasetLimits.prefault({}).meta({ description: 'What its conversion may take at most.' }),
  })
  .meta({ description: "A request to convert raw files into one HDF5 file in Fuel's layout." });
export type DatasetSpec = z.infer<typeof DatasetSpec>;
/** A spec as it may be written: what has a default can be left out. */
export type DatasetSpecInput = z.input<typeof DatasetSpec>;

/**
 * A spec as it was written before converters had params: without them where there are none. Workers of before refuse a spec that has
 * some, and convert one that has none.
 */
export function writtenDatasetSpec({ params, ...spec }: DatasetSpec): DatasetSpecInput {
  return Object.keys(params).length === 0 ? spec : { ...spec, params };
}

export const SourceDescription = z
  .object({
    name: StorableText.meta({ description: 'Name of the source, such as `features`.' }),
    dtype: StorableText.meta({ description: 'Type of its elements, such as `uint8`.' }),
    shape: z
      .array(z.int().min(0))
      .meta({ description: 'Sizes of its axes, the example axis first, which is the only one of a ragged source.' }),
    ragged: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether its examples may differ in shape: sequences, images of several sizes, text.' }),
    axisLabels: z
      .array(StorableText)
      .nullable()
      .default(null)
      .meta({ description: 'What its axes are called, in their order; null where the converter does not say.' }),
  })
  .meta({ description: 'One source of a converted dataset.' });
export type SourceDescription = z.infer<typeof SourceDescription>;

export const DatasetDescription = z
  .object({
    sources: z.array(SourceDescription).meta({ description: 'What each example consists of.' }),
    splits: z
      .record(StorableText, z.int().min(0))
      .meta({ description: 'Examples of each split, by its name (`train`, `test`).' }),
    attributes: JsonObject.default({}).meta({ description: 'Whatever else the converter says: its name and version.' }),
  })
  .meta({ description: 'What is in a converted file.' });
export type DatasetDescription = z.infer<typeof DatasetDescription>;

export const DatasetIdentity = z
  .object({
    converter: StorableText.meta({ description: 'Name of the converter.' }),
    converterVersion: z.int().min(0).meta({ description: 'Version of the converter.' }),
    params: JsonObject.default({}).meta({ description: 'What the converter was told, every default filled in.' }),
    inputs: z
      .array(
        z.object({
          name: StorableText.max(1000).meta({ description: 'Name of the file.' }),
          sizeBytes: SizeBytes,
          sha256: Sha256.meta({ description: 'SHA-256 of its bytes.' }),
        }),
      )
      .max(100)
      .meta({ description: 'The raw files that it read, in its own order.' }),
  })
  .meta({ description: 'What a dataset was made of, and by what: the same again gives the same bytes.' });
export type DatasetIdentity = z.infer<typeof DatasetIdentity>;

export const DatasetFile = z
  .object({
    fileKey: z.string().meta({
      description:
        'Key in the object store: `datasets/files/<dataset id>/<sha256>.hdf5`; earlier builds left the id out.',
    }),
    sha256: Sha256.meta({ description: 'SHA-256 of its bytes.' }),
    sizeBytes: SizeBytes,
  })
  .meta({ description: 'The immutable file of a dataset in the object store.' });
export type DatasetFile = z.infer<typeof DatasetFile>;
