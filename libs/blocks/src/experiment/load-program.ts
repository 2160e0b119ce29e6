/** `@longrun/blocks/programs`: imports programs, and finds those of a folder. Loads nothing of Blocks itself. */
import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import type { ExperimentProgram } from './experiment-program.js';

/** There is no program of a name. */
export class UnknownProgram extends Error {
  override readonly name = 'UnknownProgram';
  readonly program: string;
  /** The names that there are. */
  readonly known: readonly string[];

  constructor(program: string, known: readonly string[]) {
    super(`There is no program named ${program}; the programs here are ${known.join(', ') || 'none'}`);
    this.program = program;
    this.known = known;
  }
}

/**
 * The files of the programs in a folder, by name: of the modules there (`.js`, `.mjs`, not those in folders below), each has the
 * program that is called as it is. Nothing is imported.
 *
 * @throws Error when the folder cannot be read, or has a module of the same name twice
 */
export async function programFiles(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new Error(`The programs folder ${folder} cannot be read; build the programs first, or name another folder`, {
      cause: error,
    });
  });
  const files = new Map<string, string>();
  for (const name of names.toSorted()) {
    const program = /^(?<program>.+)\.m?js$/.exec(name)?.groups?.['program'];
    if (program === undefined || program.endsWith('.test')) continue;
    const other = files.get(program);
    if (other !== undefined)
      throw new Error(`${path.join(folder, name)}: ${path.basename(other)} has the program ${program} too; rename one`);
    files.set(program, path.resolve(folder, name));
  }
  return files;
}

/**
 * Imports the module of a program.
 *
 * @throws Error when its default export is no program; what the module throws
 */
export async function loadProgram(file: string): Promise<ExperimentProgram> {
  // Node stops to follow links for as long as the last thing that was looked at by this process is a socket, as the one to its parent is: the
  // libraries that the module imports by a link would be others than those that are loaded.
  statSync(file);
  const module: unknown = await import(pathToFileURL(file).href);
  const program: unknown = typeof module === 'object' && module !== null ? Reflect.get(module, 'default') : undefined;
  if (!isProgram(program))
    throw new Error('The module is not a program: make defineExperiment({ ... }) its default export');
  return program;
}

function isProgram(value: unknown): value is ExperimentProgram {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'parseParams' in value &&
    typeof value.parseParams === 'function' &&
    'build' in value &&
    typeof value.build === 'function'
  );
}
