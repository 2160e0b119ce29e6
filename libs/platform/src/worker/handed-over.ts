import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';

/** What a child handed over is no plain file in its own folder. */
export class HandoverRefused extends Error {
  override readonly name = 'HandoverRefused';
}

/**
 * Opens a file that a child has made in its folder, for reading. Its program may have put anything there, and may exchange it at any
 * time: only a plain file in plain folders is opened, no link is followed, and what is read is what was opened.
 *
 * @param folder The child's own folder, which it cannot replace itself
 * @param names The folders below it and the file, one plain name each
 * @throws HandoverRefused saying what is something else; errors of the disk as they are
 */
export async function openHandedOver(folder: string, ...names: readonly [string, ...string[]]): Promise<FileHandle> {
  const path = join(folder, ...names);
  const above: FileHandle[] = [];
  try {
    let entry = await openEntry(folder, path, constants.O_DIRECTORY);
    for (const [index, name] of names.entries()) {
      above.push(entry);
      // A pipe would keep whoever opens it waiting.
      const flag = index < names.length - 1 ? constants.O_DIRECTORY : constants.O_NONBLOCK;
      // An entry of an open folder cannot be exchanged for another one, where the system can say it so.
      const from = process.platform === 'linux' ? `/proc/self/fd/${entry.fd}` : join(folder, ...names.slice(0, index));
      entry = await openEntry(join(from, name), path, flag);
    }
    const found = await entry.stat();
    // A file with another name may be one of somebody else's.
    if (found.isFile() && found.nlink === 1) return entry;
    await entry.close();
    throw new HandoverRefused(`${path} was handed over, but is no plain file of its own; it is left alone.`);
  } finally {
    for (const handle of above) await handle.close();
  }
}

async function openEntry(entry: string, path: string, flag: number): Promise<FileHandle> {
  try {
    return await open(entry, constants.O_RDONLY | constants.O_NOFOLLOW | flag);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    // A link, no folder, a socket, not there, or not for its worker.
    if (!['ELOOP', 'ENOTDIR', 'ENXIO', 'ENOENT', 'EACCES'].includes(code)) throw error;
    throw new HandoverRefused(`${path} was handed over, but there is no plain file that can be read (${code}).`, {
      cause: error,
    });
  }
}
