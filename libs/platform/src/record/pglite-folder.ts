import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';

/**
 * Makes a new PGlite database in `folder` unless there is one, complete or not at all. The caller holds the folder's lock.
 *
 * A process of its own does it: making a database takes some 800 MB, which the memory of WebAssembly never gives back,
 * and serving one takes 300.
 */
export async function makePgliteFolder(folder: string): Promise<void> {
  if (existsSync(folder)) return;
  const half = `${folder}.new`;
  await rm(half, { recursive: true, force: true });
  const program = `
    const { PGlite } = await import(process.argv[1]);
    await (await PGlite.create(process.argv[2])).close();
  `;
  const library = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  try {
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program, '--', library, half]);
  } catch (error) {
    throw new Error(`The record's database could not be made in ${folder}; look at the disk's space and rights`, {
      cause: error,
    });
  }
  await rename(half, folder);
}
