import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

import { Configuration, type ConfigurationOptions, type Setting } from './configuration.js';

const dataPath: Setting<readonly string[]> = {
  key: 'data_path',
  variable: 'FUEL_DATA_PATH',
  read: (value) => listOf(value, delimiter)?.map(expanded),
  what: `a list of folders, as [/data, ~/data] or /data${delimiter}~/data`,
};
const localDataPath: Setting<string> = {
  key: 'local_data_path',
  variable: 'FUEL_LOCAL_DATA_PATH',
  byDefault: '',
  read: (value) => (typeof value === 'string' ? expanded(value) : undefined),
  what: 'a folder',
};
const defaultSeed: Setting<number> = {
  key: 'default_seed',
  byDefault: 1,
  read: (value) => (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined),
  what: 'a whole number from 0',
};
const extraDownloaders: Setting<readonly string[]> = {
  key: 'extra_downloaders',
  variable: 'FUEL_EXTRA_DOWNLOADERS',
  byDefault: [],
  read: (value) => listOf(value, ' '),
  what: 'names of modules, with spaces between them or as a list',
};
const extraConverters: Setting<readonly string[]> = {
  ...extraDownloaders,
  key: 'extra_converters',
  variable: 'FUEL_EXTRA_CONVERTERS',
};
const floatX: Setting<'float32' | 'float64'> = {
  key: 'floatX',
  variable: 'FUEL_FLOATX',
  read: (value) => (value === 'float32' || value === 'float64' ? value : undefined),
  what: 'float32 or float64',
};

/**
 * Where data lie and what else Fuel is told, with the keys, variables and precedence of the original, so that its `~/.fuelrc` is honoured
 * (Fuel: `fuel.config`). For a desk and its scripts: what an experiment depends on is in its spec, and no worker reads this.
 */
export class FuelConfiguration extends Configuration {
  constructor(options: Partial<ConfigurationOptions> = {}) {
    super({ file: '.fuelrc', fileVariable: 'FUEL_CONFIG', ...options });
    for (const setting of [dataPath, localDataPath, extraDownloaders, extraConverters])
      this.addConfig<unknown>(setting);
    this.addConfig(defaultSeed);
    this.addConfig(floatX);
  }

  /** The folders in which files of datasets are looked for, in order. @throws ConfigurationError where it is set nowhere */
  get dataPath(): readonly string[] {
    return this.valueOf(dataPath);
  }

  set dataPath(folders: readonly string[]) {
    this.set(dataPath, folders);
  }

  /** The folder for copies of files that lie on a slower disk; empty: there are none. Default empty. */
  get localDataPath(): string {
    return this.valueOf(localDataPath);
  }

  set localDataPath(folder: string) {
    this.set(localDataPath, folder);
  }

  /** Default 1. */
  get defaultSeed(): number {
    return this.valueOf(defaultSeed);
  }

  set defaultSeed(seed: number) {
    this.set(defaultSeed, seed);
  }

  /** Modules with downloaders of one's own. Default none. */
  get extraDownloaders(): readonly string[] {
    return this.valueOf(extraDownloaders);
  }

  set extraDownloaders(modules: readonly string[]) {
    this.set(extraDownloaders, modules);
  }

  /** Modules with converters of one's own. Default none. */
  get extraConverters(): readonly string[] {
    return this.valueOf(extraConverters);
  }

  set extraConverters(modules: readonly string[]) {
    this.set(extraConverters, modules);
  }

  /** The dtype of floats. @throws ConfigurationError where it is set nowhere */
  get floatX(): 'float32' | 'float64' {
    return this.valueOf(floatX);
  }

  set floatX(dtype: 'float32' | 'float64') {
    this.set(floatX, dtype);
  }
}

/** That of this process. */
export const config = new FuelConfiguration();

/** A list, or a text with a separator between its items. */
function listOf(value: unknown, separator: string): readonly string[] | undefined {
  const items: unknown = typeof value === 'string' ? value.split(separator).filter((item) => item !== '') : value;
  return Array.isArray(items) && items.every((item) => typeof item === 'string') ? items : undefined;
}

/** With the user's folder for `~`. */
function expanded(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}
