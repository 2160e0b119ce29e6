import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

import { ConfigurationError } from '../errors.js';

/** One thing that can be set. */
export interface Setting<T> {
  /** Name in the file, as `data_path`. */
  readonly key: string;
  /** The environment variable that sets it, if any. */
  readonly variable?: string;
  /** Without one it is an error to ask for what nobody has set. */
  readonly byDefault?: T;
  /** What a value of the file, of the variable or of the program means; undefined where it is none. */
  readonly read: (value: unknown) => T | undefined;
  /** What a value is, for errors: `a list of folders`. */
  readonly what: string;
}

export interface ConfigurationOptions {
  /** The file in the user's folder, as `.fuelrc`. */
  readonly file: string;
  /** The variable that names another file. */
  readonly fileVariable: string;
  /** Default: `process.env`, whenever a value is asked for. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The user's folder. */
  readonly home?: string;
}

/**
 * What is set in a program, else by a variable of the environment, else in a YAML file, else by default (Fuel: `fuel.config_parser.Configuration`).
 * The file is read when a value is first asked for, and not before.
 */
export class Configuration {
  readonly #options: ConfigurationOptions;
  readonly #settings = new Map<string, Setting<unknown>>();
  readonly #set = new Map<string, unknown>();
  #file: { readonly path: string; readonly values: ReadonlyMap<string, unknown> } | undefined;

  constructor(options: ConfigurationOptions) {
    this.#options = options;
  }

  /** Makes a key known (Fuel: `add_config`). One that is known already is replaced. */
  addConfig<T>(setting: Setting<T>): void {
    this.#settings.set(setting.key, setting);
  }

  /** @throws ConfigurationError where it is set nowhere, or to what it cannot be; naming the place and what to write there */
  valueOf<T>({ key, variable, byDefault, read, what }: Setting<T>): T {
    const valid = (place: string, given: unknown): T => {
      const value = read(given);
      if (value !== undefined) return value;
      throw new ConfigurationError(`${place} is ${JSON.stringify(given)}, which is not ${what}`);
    };
    if (this.#set.has(key)) return valid(key, this.#set.get(key));
    const environment = this.#options.environment ?? process.env;
    const ofVariable = variable === undefined ? undefined : environment[variable];
    if (variable !== undefined && ofVariable !== undefined && ofVariable !== '') return valid(variable, ofVariable);
    const { path, values } = this.#read(environment);
    if (values.has(key)) return valid(`${key} in ${path}`, values.get(key));
    if (byDefault !== undefined) return byDefault;
    const byVariable = variable === undefined ? '' : `, or the variable ${variable}`;
    throw new ConfigurationError(`${key} is not set; set it in ${path}${byVariable}, to ${what}`);
  }

  /** Sets a value for this process. */
  set<T>({ key }: Setting<T>, value: T): void {
    this.#set.set(key, value);
  }

  #read(environment: Readonly<Record<string, string | undefined>>) {
    const named = environment[this.#options.fileVariable];
    const { home = homedir(), file, fileVariable } = this.#options;
    const isNamed = named !== undefined && named !== '';
    const path = isNamed ? resolve(named) : join(home, file);
    if (this.#file?.path !== path) this.#file = { path, values: valuesIn(path, isNamed ? fileVariable : null) };
    const unknown = [...this.#file.values.keys()].find((key) => !this.#settings.has(key));
    if (unknown === undefined) return this.#file;
    const known = [...this.#settings.keys()].toSorted().join(', ');
    throw new ConfigurationError(`${path} sets ${unknown}, which there is not; there are ${known}`);
  }
}

/** @param namedBy the variable that names it; null: it need not be there */
function valuesIn(path: string, namedBy: string | null): ReadonlyMap<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isAbsent && namedBy === null) return new Map();
    const reason = isAbsent ? 'there is no such file' : String(error);
    throw new ConfigurationError(`${path}${namedBy === null ? '' : `, which ${namedBy} names`}: ${reason}`, {
      cause: error,
    });
  }
  // Few have such a file, and each trainer loads this module.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `require` knows no types
  const { parse } = createRequire(import.meta.url)('yaml') as typeof import('yaml');
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw new ConfigurationError(`${path} is not YAML: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  if (document === null) return new Map();
  if (typeof document !== 'object' || Array.isArray(document))
    throw new ConfigurationError(`${path} is not made of keys and values, as \`data_path: /data\``);
  return new Map(Object.entries(document));
}
