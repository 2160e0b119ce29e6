import { statfs } from 'node:fs/promises';
import { NotEnoughSpace } from '../errors.js';

/** What of a disk is taken, in bytes. */
export interface DiskUsage {
  readonly totalBytes: number;
  readonly usedBytes: number;
  /** What this user may still write: less than what is not used where some is reserved. */
  readonly freeBytes: number;
}

/** How full the disk is that has a folder (Fuel: `disk_usage`). */
export async function diskUsage(folder: string): Promise<DiskUsage> {
  const { blocks, bfree, bavail, bsize } = await statfs(folder);
  return { totalBytes: blocks * bsize, usedBytes: (blocks - bfree) * bsize, freeBytes: bavail * bsize };
}

/**
 * Asks before something is begun that would fill a disk (Fuel: `check_enough_space`).
 *
 * @param folder where it is to be written
 * @throws NotEnoughSpace when fewer bytes are free than are needed
 */
export async function checkEnoughSpace(folder: string, neededBytes: number): Promise<void> {
  const { freeBytes, totalBytes } = await diskUsage(folder);
  if (neededBytes <= freeBytes) return;
  throw new NotEnoughSpace(
    `${folder}: ${neededBytes} bytes are to be written there, but ${freeBytes} of ${totalBytes} are free; make room, or take a folder on a larger disk`,
  );
}
