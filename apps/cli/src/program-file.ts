import { statSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';

import { ProgramName } from '@longrun/contracts';
import { bundleProgram, type ProgramBundle } from '@longrun/platform/programs';

/** A file or a folder is no program that can be published; the message says what to do. */
export class UnusableProgram extends Error {
  override readonly name = 'UnusableProgram';
}

/** A program that is ready to be published. */
export interface LocalProgram extends ProgramBundle {
  readonly name: string;
}

/** Whether a path is that of a program, and not of a spec: a folder, or a file in TypeScript or JavaScript. */
export function isProgram(path: string): boolean {
  return EXTENSIONS.has(extname(path)) || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * Makes one module of a program.
 *
 * @param name Default: that of the file or folder
 * @throws UnusableProgram, BundleRefused
 */
export async function readProgram(path: string, name = nameOf(path)): Promise<LocalProgram> {
  if (!ProgramName.safeParse(name).success) {
    const near = name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^[^a-z]+|-+$/g, '');
    throw new UnusableProgram(
      `${path}: a program cannot be called ${JSON.stringify(name)}; name it by 1 to 100 of a-z, 0-9 and -, beginning with a letter` +
        (near === '' ? '' : `, as ${near}`),
    );
  }
  return { name, ...(await bundleProgram(path)) };
}

/** What a program is called after its file or folder. */
export function nameOf(path: string): string {
  const name = basename(resolve(path));
  return name.slice(0, name.length - (EXTENSIONS.has(extname(name)) ? extname(name).length : 0));
}

const EXTENSIONS: ReadonlySet<string> = new Set(['.ts', '.mts', '.js', '.mjs']);
