import { statSync } from 'node:fs';
import { resolve } from 'node:path';

import { MissingInput } from '../errors.js';
import { config, type FuelConfiguration } from './config.js';

/**
 * The first file of a name in the folders of {@link FuelConfiguration.dataPath}, absolute (Fuel: `find_in_data_path`).
 *
 * @param options.from Default: the configuration of this process
 * @throws MissingInput saying where it was looked for; ConfigurationError where no folders are set
 */
export function findInDataPath(name: string, { from = config }: { readonly from?: FuelConfiguration } = {}): string {
  const tried = from.dataPath.map((folder) => resolve(folder, name));
  const found = tried.find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  if (found !== undefined) return found;
  throw new MissingInput(
    `There is no ${name} in ${from.dataPath.join(', ') || '(no folder)'}, the data_path; convert it to there, or add its folder to FUEL_DATA_PATH`,
    tried,
  );
}
