/** `@longrun/blocks/programs`: finds and imports programs. Loads nothing of Blocks itself. */
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
 * Imports the program of a name from a folder, and no other one.
 *
 * @throws UnknownProgram listing those there are; Error when its module has no program of that name as its default export; what the
 * module throws
 */
export async function loadProgram(folder: string, name: string): Promise<ExperimentProgram> {
  const files = await programFiles(folder);
  const file = files.get(name);
  if (file === undefined) throw new UnknownProgram(name, [...files.keys()]);
  const module: unknown = await import(pathToFileURL(file).href);
  const program: unknown = typeof module === 'object' && module !== null ? Reflect.get(module, 'default') : undefined;
  if (!isProgram(program))
    throw new Error(
      `${file} is not a program; make defineExperiment({ ... }) its default export, or move it elsewhere`,
    );
  if (program.name !== name)
    throw new Error(
      `${file} has the program ${program.name}; call the file as the program, or the program as the file`,
    );
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
