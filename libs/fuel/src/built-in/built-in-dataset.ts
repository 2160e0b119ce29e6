import { checkPresent } from '../converters/check-present.js';
import type { Converter, ConverterParams, ConvertOptions } from '../converters/converter.js';
import type { DatasetDescription } from '../hdf5/describe.js';
import { openNamed, type NamedDataset, type NamedDefinition } from './named-dataset.js';

/** All that is to be said of a dataset to know it by name. */
export interface BuiltInDefinition<Params extends ConverterParams>
  extends NamedDefinition<Params>, Omit<Converter<Params>, 'convert'> {
  /** See `Converter.convert`. The raw files are there. `command` is the attribute that says how the file came about. */
  write(
    inputFolder: string,
    outputPath: string,
    options: ConvertOptions & { readonly params: Params; readonly command: string },
  ): Promise<DatasetDescription>;
}

/** A dataset that Fuel knows by name: where it is published, how it is converted, and how it is read. */
export interface BuiltInDataset<Params extends ConverterParams = ConverterParams>
  extends NamedDataset<Params>, Converter<Params> {}

/** A built-in dataset by its definition. */
export function builtInDataset<Params extends ConverterParams>(
  definition: BuiltInDefinition<Params>,
): BuiltInDataset<Params> {
  const { name, version, params: schema, defaultTransformers } = definition;
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
    open: async (options) => await openNamed(definition, options, remedy),
  };

  function remedy(params: Params): string {
    const spec = JSON.stringify({ name: 'NAME', converter: name, ...(Object.keys(params).length > 0 && { params }) });
    return `longrun submit a spec that says ${spec}, then longrun download NAME -o ${definition.outputName(params)}`;
  }
}

function paramsAsOptions(params: ConverterParams): readonly string[] {
  return Object.entries(params).map(([param, value]) => `-p ${param}=${JSON.stringify(value)}`);
}
