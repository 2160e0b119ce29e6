import { execFile } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { environmentWithoutSecrets } from '../configuration/hidden-environment.js';

/** What the build has made, by `make-template.ts`: an empty record. Lies two folders above both src/ and dist/. */
export const builtTemplate = fileURLToPath(new URL('../../pgdata', import.meta.url));

/**
 * Makes a new PGlite database in `folder` unless there is one, complete or not at all. The caller holds the folder's lock.
 *
 * @param template a database to copy, sealed; where there is none that is whole a new one is made, which takes some seconds
 */
export async function makePgliteFolder(folder: string, template = builtTemplate): Promise<void> {
  if (existsSync(folder)) return;
  const half = `${folder}.new`;
  try {
    await rm(half, { recursive: true, force: true });
    if (!copyTemplate(template, half)) {
      await rm(half, { recursive: true, force: true });
      await makeDatabase(half);
    }
    await rename(half, folder);
  } catch (error) {
    throw new Error(`The record's database could not be made in ${folder}; look at the disk's space and rights`, {
      cause: error,
    });
  }
}

/** Takes the rights of other users from all that is in a folder: PGlite gives them to some of its files, whatever the umask. */
export function takeFromOthers(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const { mode } = statSync(path);
    if ((mode & 0o077) !== 0) chmodSync(path, mode & 0o700);
  }
}

/** Makes a template of a database: a copy, sealed with what it consists of. */
export function makeTemplate(database: string, template: string): void {
  writeFileSync(join(template, SEAL), JSON.stringify(copyFolder(database, template)));
}

/** False where there is no template, or not all of it: a build may be making or removing it, or was interrupted. */
function copyTemplate(template: string, to: string): boolean {
  try {
    const seal = readFileSync(join(template, SEAL), 'utf8');
    return JSON.stringify(copyFolder(template, to)) === seal;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Copies a folder but for a seal. The copy is this process's to write, whatever the rights of the folder:
 * that may be another user's, or read-only. Hundreds of files, and nothing serves yet: all at once takes a third of the time.
 */
function copyFolder(from: string, to: string): Contents {
  const contents = { entries: 0, sizeBytes: 0 };
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.name === SEAL) continue;
    const source = join(from, entry.name);
    const copy = join(to, entry.name);
    contents.entries += 1;
    if (entry.isDirectory()) {
      const inside = copyFolder(source, copy);
      contents.entries += inside.entries;
      contents.sizeBytes += inside.sizeBytes;
    } else {
      copyFileSync(source, copy);
      chmodSync(copy, 0o600);
      contents.sizeBytes += statSync(copy).size;
    }
  }
  return contents;
}

interface Contents {
  readonly entries: number;
  readonly sizeBytes: number;
}

const SEAL = 'longrun-template.json';

/** In a process of its own: it takes some 800 MB, which the memory of WebAssembly never gives back. */
async function makeDatabase(folder: string): Promise<void> {
  const program = `
    const { PGlite } = await import(process.argv[1]);
    await (await PGlite.create(process.argv[2])).close();
  `;
  const library = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program, '--', library, folder], {
    env: environmentWithoutSecrets(process.env),
  });
}
