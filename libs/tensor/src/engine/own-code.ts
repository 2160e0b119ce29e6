import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * A hash of the code that this process runs of this library: what other code has made of a graph is not taken for what this would make. Of a bundle, all
 * files beside that of this module count. Undefined where they cannot be read.
 */
export function ownCode(): Promise<string | undefined> {
  hash ??= hashOf(foldersOf(import.meta.filename)).catch(() => undefined);
  return hash;
}

let hash: Promise<string | undefined> | undefined;

/** The folder of the code, and whether those below it are of it. */
function foldersOf(file: string): { readonly folder: string; readonly recursive: boolean } {
  const folder = path.dirname(file);
  const isBundled = !/[\\/]engine[\\/]own-code\.[jt]s$/u.test(file);
  return isBundled ? { folder, recursive: false } : { folder: path.dirname(folder), recursive: true };
}

async function hashOf({ folder, recursive }: ReturnType<typeof foldersOf>): Promise<string> {
  const names = (await readdir(folder, { recursive })).filter((name) => IS_CODE.test(name)).toSorted();
  const files = await Promise.all(names.map((name) => readFile(path.join(folder, name))));
  const code = createHash('sha256');
  for (const [position, file] of files.entries()) code.update(`${names[position]} ${file.length}\n`).update(file);
  return code.digest('hex');
}

const IS_CODE = /\.[cm]?[jt]s$/u;
