import type { FuelConfiguration } from '../configuration/config.js';
import { findInDataPath } from '../configuration/find-in-data-path.js';
import type { Converter, ConverterParams } from '../converters/converter.js';
import { H5Dataset, type H5DatasetOptions } from '../datasets/h5-dataset.js';
import { MissingInput } from '../errors.js';
import type { StreamTransformation } from '../streams/data-stream.js';

/** How the converted files of a dataset are called, and read. */
export interface NamedDefinition<Params extends ConverterParams> extends Pick<
  Converter<Params>,
  'name' | 'params' | 'outputName'
> {
  /** What streams of it begin with, see `Dataset.defaultTransformers`. */
  readonly defaultTransformers: readonly StreamTransformation[];
  /** Whether it is read into memory by default. */
  readonly loadInMemory: boolean;
}

/** Which part of a dataset is opened, and how it is read. */
export interface OpenOptions extends H5DatasetOptions {
  /** Which of its files, by the params of its converter. Default: those that the converter has by default. */
  readonly params?: ConverterParams;
  /** Where its file is looked for. Default: the configuration of this process. */
  readonly from?: FuelConfiguration;
}

/** A dataset that Fuel knows by name, of which a converted file is opened. */
export interface NamedDataset<Params extends ConverterParams = ConverterParams> extends Pick<
  NamedDefinition<Params>,
  'name' | 'params' | 'outputName' | 'defaultTransformers'
> {
  /**
   * Opens the converted file that `findInDataPath` finds, with its default transformers and axis labels (Fuel: the classes of
   * `fuel.datasets`, as `MNIST(which_sets)`).
   *
   * @throws MissingInput where there is none, saying how to get it; ZodError for params that its converter has not; else as `H5Dataset.open`
   */
  open(options: OpenOptions): Promise<H5Dataset>;
}

/**
 * Opens a dataset, see `NamedDataset.open`.
 *
 * @param remedy How its file is made, as the rest of a sentence
 */
export async function openNamed<Params extends ConverterParams>(
  { params: schema, outputName, defaultTransformers, loadInMemory }: NamedDefinition<Params>,
  { params: given = {}, from, ...options }: OpenOptions,
  remedy: (params: Params) => string,
): Promise<H5Dataset> {
  const params = schema.parse(given);
  let path: string;
  try {
    path = findInDataPath(outputName(params), from === undefined ? {} : { from });
  } catch (error) {
    if (!(error instanceof MissingInput)) throw error;
    throw new MissingInput(`${error.message}. To make it: ${remedy(params)}`, error.paths, { cause: error });
  }
  return await H5Dataset.open(path, { defaultTransformers, loadInMemory, ...options });
}
