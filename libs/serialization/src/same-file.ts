import type { BigIntStats } from 'node:fs';
import { type FileHandle, link, lstat, rm, stat } from 'node:fs/promises';

import { absent } from './file-error.js';

/** For `stat`: numbers of files may be larger than those of JavaScript. */
export const BIG = { bigint: true } as const;

/** Whether a name is that of the same file as another, which may be a symbolic link. A name that is gone by now is that of no file. */
export async function isSameFile(name: string, file: string): Promise<boolean> {
  const named = await lstat(name, BIG).catch(absent);
  return named !== undefined && isSame(named, await stat(file, BIG));
}

/** Whether two handles are of one file, whatever it is or was called. */
export async function isSameOpenFile(one: FileHandle, other: FileHandle): Promise<boolean> {
  return isSame(await one.stat(BIG), await other.stat(BIG));
}

/**
 * Gives an open file another name, on the same disk. False, and there is none, where `path` is not its name any more, or a link to it, or where
 * the disk refuses.
 */
export async function linkOpenFile(path: string, handle: FileHandle, name: string): Promise<boolean> {
  try {
    await link(path, name);
  } catch {
    // On another disk, a file of somebody else's, or not there any more.
    return false;
  }
  if (isSame(await lstat(name, BIG), await handle.stat(BIG))) return true;
  await rm(name, { force: true });
  return false;
}

function isSame(one: Identity, other: Identity): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

type Identity = Pick<BigIntStats, 'dev' | 'ino'>;
