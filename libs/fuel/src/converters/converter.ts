import type { Json } from '@longrun/serialization';
import type { z } from 'zod';
import type { DatasetDescription } from '../hdf5/describe.js';

/** A published file that a converter reads. */
export interface RequiredFile {
  readonly name: string;
  /** SHA-256 of the file as published, in lower-case hexadecimal digits. Default: downloads are not checked. */
  readonly sha256?: string;
  /** SHA-256 of the same bytes as another distribution packs them; a file like that is as good where it lies already. */
  readonly repackedSha256?: string;
  /** Where it can be downloaded; tried in this order. */
  readonly urls: readonly string[];
}

/** The published files of one dataset. */
export interface PublishedFiles {
  /** What the dataset is called in errors. */
  readonly name: string;
  readonly requiredFiles: readonly RequiredFile[];
}

/** How far a download or a conversion is. */
export interface FileProgress {
  /** The file at work on. */
  readonly file: string;
  readonly doneBytes: number;
  /** Null when it is not known. */
  readonly totalBytes: number | null;
}

/** What can be asked of a conversion. */
export interface ConvertOptions {
  /** Called as bytes are written; `doneBytes` and `totalBytes` are those of the whole dataset. Default: nobody is told. */
  readonly onProgress?: ((progress: FileProgress) => void) | undefined;
  /** Stops the conversion; it then throws the signal's reason and leaves nothing behind. */
  readonly signal?: AbortSignal | undefined;
}

/** What a converter is told, by name. */
export type ConverterParams = { readonly [name: string]: Json };

/** Makes one HDF5 file of a dataset as it is published (Fuel: the functions of `fuel.converters`). */
export interface Converter<Params extends ConverterParams = ConverterParams> {
  /** As `fashion-mnist`. */
  readonly name: string;
  /** Raised whenever the same input and params give another file than before. */
  readonly version: number;
  /** Reads its params, each of which has a default, and refuses others. One that draws has its `seed` among them. */
  readonly params: z.ZodType<Params>;
  /** What has to lie in the input folder. */
  requiredFiles(params: Params): readonly RequiredFile[];
  /** Name of the file where Fuel looks for it, as `mnist.hdf5`. */
  outputName(params: Params): string;
  /**
   * Reads the required files in `inputFolder` and writes `outputPath`, whose folder must exist. The same input and params give the same
   * bytes. The file appears complete or not at all. Checksums are those of downloads and not asked for here: any files of the
   * right structure are converted.
   *
   * @param params as its schema reads them
   * @throws MissingInput listing the files that are not there
   * @throws CorruptInput naming the file that is not what it should be, and how
   */
  convert(
    inputFolder: string,
    outputPath: string,
    params: Params,
    options?: ConvertOptions,
  ): Promise<DatasetDescription>;
}
