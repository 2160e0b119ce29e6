import { randomBytes } from 'node:crypto';
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';

import { CHECK_FAILED } from '../child/run-check.js';
import { SupervisedChild } from './supervised-child.js';

/**
 * Writes a file of some megabytes into a folder, makes sure of it and reads it back.
 *
 * @throws Error that names the folder, when that fails or the disk is nearly full
 */
export async function checkFolder(folder: string): Promise<void> {
  const path = join(folder, `check-${process.pid}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeAndReadBack(path);
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < FREE_BYTES)
      throw new Error(`its disk has ${bavail * bsize} bytes free, and ${FREE_BYTES} are needed`);
  } catch (error) {
    throw new Error(`The folder ${folder} does not serve: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  } finally {
    await rm(path, { force: true }).catch(() => {});
  }
}

/**
 * Runs a module that calls `runCheck` as a child process, in a folder where it may write. What it loads cannot harm the worker.
 *
 * @throws Error that says what failed, in the module's words
 */
export async function checkInChild(script: string, folder: string): Promise<void> {
  const launch = { execPath: process.execPath, execArgv: [], cwd: folder, env: {} };
  const child = new SupervisedChild({ script, launch, onMessage: () => {}, onLine: () => {} });
  const exit = await child.endWithin(CHILD_WITHIN_MS);
  if (exit.code === 0) return;
  if (exit.killedByUs) throw new Error(`The check ${script} had not ended after ${CHILD_WITHIN_MS} ms`);
  if (exit.code === CHECK_FAILED) throw new Error(exit.stderrTail.split('\n').at(-1));
  // It could not even be loaded, or crashed.
  throw new Error(`The check ${script} ended with ${exit.signal ?? exit.code}: ${exit.stderrTail.slice(0, 1_000)}`);
}

async function writeAndReadBack(path: string): Promise<void> {
  const written = randomBytes(FILE_BYTES);
  const file = await open(path, 'w+');
  try {
    await file.writeFile(written);
    await file.sync();
    const read = Buffer.alloc(FILE_BYTES);
    const { bytesRead } = await file.read(read, 0, FILE_BYTES, 0);
    if (bytesRead !== FILE_BYTES || !read.equals(written)) throw new Error('what was written is not what is read');
  } finally {
    await file.close();
  }
}

const FILE_BYTES = 4 * 2 ** 20;
/** With less, the next checkpoint or dataset is likely to fill it. */
const FREE_BYTES = 32 * 2 ** 20;
/** Loading an engine takes a second, and a busy machine many. A check that hangs is made again. */
const CHILD_WITHIN_MS = 120_000;
