import type { ConverterParams } from '../converters/converter.js';
import { UnsuitableDataset } from '../errors.js';
import { openNamed, type NamedDataset, type NamedDefinition } from './named-dataset.js';

/** A dataset of which files are read that the original Fuel has converted, as there is no converter here yet. */
export interface FuelMadeDataset<Params extends ConverterParams = ConverterParams> extends NamedDataset<Params> {
  /** @throws UnsuitableDataset always, saying what makes the file of these params */
  convert(inputFolder: string, outputPath: string, params: Params): Promise<never>;
}

/** A dataset by its definition. @param fuelConvert The arguments of `fuel-convert` that make its file */
export function fuelMadeDataset<Params extends ConverterParams>(
  definition: NamedDefinition<Params>,
  fuelConvert: (params: Params) => string,
): FuelMadeDataset<Params> {
  const { name, params: schema, defaultTransformers } = definition;
  const remedy = (params: Params): string =>
    `fuel-convert ${fuelConvert(params)} of the original Fuel, as Longrun has no converter of ${name} yet; then put ${definition.outputName(params)} into a folder of data_path`;
  return {
    name,
    params: schema,
    defaultTransformers,
    outputName: (params) => definition.outputName(params),
    convert: async (_inputFolder, outputPath, params) => {
      throw new UnsuitableDataset(`${name}: ${outputPath} cannot be made here. To make it: ${remedy(params)}`);
    },
    open: async (options) => await openNamed(definition, options, remedy),
  };
}
