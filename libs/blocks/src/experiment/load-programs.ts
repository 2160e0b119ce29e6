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
 * The programs of a folder, by name: the default exports of its modules (`.js`, `.mjs`), without those in folders below.
 *
 * @throws Error when a module has no program as its default export, or when two programs have the same name
 */
export async function loadPrograms(folder: string): Promise<ReadonlyMap<string, ExperimentProgram>> {
  const programs = new Map<string, ExperimentProgram>();
  for (const file of await modulesIn(path.resolve(folder))) {
    const module: unknown = await import(pathToFileURL(file).href);
    const program: unknown = typeof module === 'object' && module !== null ? Reflect.get(module, 'default') : undefined;
    if (!isProgram(program)) {
      throw new Error(
        `${file} is not a program; make defineExperiment({ ... }) its default export, or move it elsewhere`,
      );
    }
    if (programs.has(program.name))
      throw new Error(`${file}: there is another program named ${program.name}; rename one`);
    programs.set(program.name, program);
  }
  return programs;
}

/** The program of a name. @throws UnknownProgram listing those there are */
export function programNamed(programs: ReadonlyMap<string, ExperimentProgram>, name: string): ExperimentProgram {
  const program = programs.get(name);
  if (program === undefined) throw new UnknownProgram(name, [...programs.keys()]);
  return program;
}

async function modulesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new Error(`The programs folder ${folder} cannot be read; build the programs first, or name another folder`, {
      cause: error,
    });
  });
  return names
    .filter((name) => /\.m?js$/.test(name) && !/\.test\.m?js$/.test(name))
    .toSorted()
    .map((name) => path.join(folder, name));
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
