import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** What the build has made, by `make-template.ts`: an empty record. Lies two folders above both src/ and dist/. */
export const builtTemplate = fileURLToPath(new URL('../../pgdata', import.meta.url));

/**
 * Makes a new PGlite database in `folder` unless there is one, complete or not at all. The caller holds the folder's lock.
 *
 * @param template a database to copy; without one there a new one is made, which takes some seconds
 */
export async function makePgliteFolder(folder: string, template = builtTemplate): Promise<void> {
  if (existsSync(folder)) return;
  const half = `${folder}.new`;
  try {
    await rm(half, { recursive: true, force: true });
    // Hundreds of files, and nothing serves yet: all at once takes a third of the time.
    if (existsSync(template)) copyFolder(template, half);
    else await makeDatabase(half);
    await rename(half, folder);
  } catch (error) {
    throw new Error(`The record's database could not be made in ${folder}; look at the disk's space and rights`, {
      cause: error,
    });
  }
}

/** The copy is this process's to write, whatever the rights of the template: that may be another user's, or read-only. */
function copyFolder(from: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const copy = join(to, entry.name);
    if (entry.isDirectory()) copyFolder(source, copy);
    else writeFileSync(copy, readFileSync(source));
  }
}

/** In a process of its own: it takes some 800 MB, which the memory of WebAssembly never gives back. */
async function makeDatabase(folder: string): Promise<void> {
  const program = `
    const { PGlite } = await import(process.argv[1]);
    await (await PGlite.create(process.argv[2])).close();
  `;
  const library = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program, '--', library, folder]);
}
