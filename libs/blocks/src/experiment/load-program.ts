/** `@longrun/blocks/programs`: imports programs. Loads nothing of Blocks itself. */
import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

import type { ExperimentProgram } from './experiment-program.js';

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
