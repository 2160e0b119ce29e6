import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * A hash of the code that this process runs of this library: what other code has made of a graph is not taken for what this would make. Undefined where
 * it cannot be read.
 */
export function ownCode(): Promise<string | undefined> {
  own ??= codeAround(import.meta.filename).catch(() => undefined);
  return own;
}

let own: Promise<string | undefined> | undefined;

/** A hash of all code that this module, in such a file, is of: of a bundle what is beside it, else the whole library. @throws Error where it cannot be read */
export async function codeAround(file: string): Promise<string> {
  const isBundled = !/[\\/]engine[\\/]own-code\.[jt]s$/u.test(file);
  const folder = path.dirname(isBundled ? file : path.dirname(file));
  const names = await readdir(folder, { recursive: !isBundled });
  const code = createHash('sha256');
  for (const { name, bytes } of await readAll(folder, names.filter((one) => IS_CODE.test(one)).toSorted())) {
    code.update(`${name} ${bytes.length}\n`).update(bytes);
  }
  return code.digest('hex');
}

async function readAll(folder: string, names: readonly string[]): Promise<{ name: string; bytes: Uint8Array }[]> {
  return await Promise.all(names.map(async (name) => ({ name, bytes: await readFile(path.join(folder, name)) })));
}

const IS_CODE = /\.[cm]?[jt]s$/u;
