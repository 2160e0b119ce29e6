import { appendFile, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Puts the module of a program into a folder of its own, from where it can be imported: what it imports of `@longrun/*` is found there, and
 * nothing else. Answers where it is.
 *
 * @param folder that is not there yet
 * @param module its bytes, or a file that has them
 * @param libraries the installation's own folder `node_modules/@longrun`, absolute
 * @param sourceMap by which errors name the places of its sources, where the process has source maps enabled. Default: there is none
 */
export async function layOutProgram(
  folder: string,
  module: Uint8Array | { readonly path: string },
  libraries: string,
  sourceMap?: string,
): Promise<string> {
  const packages = join(folder, 'node_modules');
  await mkdir(packages, { recursive: true });
  await symlink(libraries, join(packages, '@longrun'), 'dir');
  const file = join(folder, 'program.mjs');
  if ('path' in module) await copyFile(module.path, file);
  else await writeFile(file, module);
  if (sourceMap !== undefined) {
    await writeFile(`${file}.map`, sourceMap);
    await appendFile(file, '\n//# sourceMappingURL=program.mjs.map\n');
  }
  return file;
}
