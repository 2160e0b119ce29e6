import { findInDataPath } from '../configuration/find-in-data-path.js';
import type { FuelConfiguration } from '../configuration/config.js';
import { checkPresent } from '../converters/check-present.js';
import type { Converter, ConverterParams, ConvertOptions } from '../converters/converter.js';
import { H5Dataset, type H5DatasetOptions } from '../datasets/h5-dataset.js';
import { MissingInput } from '../errors.js';
import type { DatasetDescription } from '../hdf5/describe.js';
import type { StreamTransformation } from '../streams/data-stream.js';

/** All that is to be said of a dataset to know it by name. */
export interface BuiltInDefinition<Params extends ConverterParams> extends Omit<Converter<Params>, 'convert'> {
  /** What streams of it begin with, see `Dataset.defaultTransformers`. */
  readonly defaultTransformers: readonly StreamTransformation[];
  /** Whether it is read into memory by default. */
  readonly loadInMemory: boolean;
  /** See `Converter.convert`. The raw files are there. `command` is the attribute that says how the file came about. */
  write(
    inputFolder: string,
    outputPath: string,
    options: ConvertOptions & { readonly params: Params; readonly command: string },
  ): Promise<DatasetDescription>;
}

/** Which part of a built-in dataset is opened, and how it is read. */
export interface OpenOptions extends H5DatasetOptions {
  /** Which of its files, by the params of its converter. Default: those that the converter has by default. */
  readonly params?: ConverterParams;
  /** Where its file is looked for. Default: the configuration of this process. */
  readonly from?: FuelConfiguration;
}

/** A dataset that Fuel knows by name: where it is published, how it is converted, and how it is read. */
export interface BuiltInDataset<Params extends ConverterParams = ConverterParams> extends Converter<Params> {
  readonly defaultTransformers: readonly StreamTransformation[];
  /**
   * Opens the converted file that `findInDataPath` finds, with its default transformers and axis labels (Fuel: the classes of
   * `fuel.datasets`, as `MNIST(which_sets)`).
   *
   * @throws MissingInput where there is none, saying how to get it; ZodError for params that its converter has not; else as `H5Dataset.open`
   */
  open(options: OpenOptions): Promise<H5Dataset>;
}

/** A built-in dataset by its definition. */
export function builtInDataset<Params extends ConverterParams>(
  definition: BuiltInDefinition<Params>,
): BuiltInDataset<Params> {
  const { name, version, params: schema, defaultTransformers, loadInMemory } = definition;
  return {
    name,
    version,
    params: schema,
    defaultTransformers,
    requiredFiles: (params) => definition.requiredFiles(params),
    outputName: (params) => definition.outputName(params),
    convert: async (inputFolder, outputPath, params, options = {}) => {
      options.signal?.throwIfAborted();
      await checkPresent({ name, requiredFiles: definition.requiredFiles(params) }, inputFolder);
      const command = ['longrun convert', name, ...paramsAsOptions(params)].join(' ');
      return await definition.write(inputFolder, outputPath, { ...options, params, command });
    },
    open: async ({ params: given = {}, from, ...options }) => {
      const params = schema.parse(given);
      const path = found(name, definition.outputName(params), params, from);
      return await H5Dataset.open(path, { defaultTransformers, loadInMemory, ...options });
    },
  };
}

function found(name: string, file: string, params: ConverterParams, from: FuelConfiguration | undefined): string {
  try {
    return findInDataPath(file, from === undefined ? {} : { from });
  } catch (error) {
    if (!(error instanceof MissingInput)) throw error;
    const spec = JSON.stringify({ name: 'NAME', converter: name, ...(Object.keys(params).length > 0 && { params }) });
    throw new MissingInput(
      `${error.message}. To make it: longrun submit a spec that says ${spec}, then longrun download NAME -o ${file}`,
      error.paths,
      { cause: error },
    );
  }
}

function paramsAsOptions(params: ConverterParams): readonly string[] {
  return Object.entries(params).map(([param, value]) => `-p ${param}=${JSON.stringify(value)}`);
}
