import { readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';

import { syncFolder } from '@longrun/serialization';

import type { MainLoop } from '../main-loop.js';
import { type SnapshotWriting, writeSnapshot, type WrittenSnapshot } from './snapshot.js';

/** A snapshot that is complete in a folder of its own. */
export interface FinishedSnapshot extends WrittenSnapshot {
  readonly folder: string;
}

/** Where {@link saveSnapshot} puts the snapshot of the present step: `step-000000000100`, or `step-000000000100-final`. */
export function snapshotFolder(mainLoop: MainLoop, parent: string): string {
  const { iterationsDone, trainingFinished } = mainLoop.status;
  // Zeros, so that the names sort as the steps do.
  const step = String(iterationsDone).padStart(12, '0');
  return path.join(path.resolve(parent), `step-${step}${trainingFinished ? '-final' : ''}`);
}

/**
 * Saves a snapshot in a folder of its own in `parent`, where it appears complete and, unless it is handed over, on disk, or not at all.
 * One of the same step is replaced.
 *
 * As with `writeSnapshot`, the state is taken before this function first yields.
 */
export async function saveSnapshot(
  mainLoop: MainLoop,
  parent: string,
  writing: SnapshotWriting = {},
): Promise<FinishedSnapshot> {
  const folder = snapshotFolder(mainLoop, parent);
  const partial = path.join(path.dirname(folder), `.${path.basename(folder)}.partial`);
  const written = await writeSnapshot(mainLoop, partial, writing);
  await rm(folder, { recursive: true, force: true });
  await rename(partial, folder);
  if (writing.isHandedOver !== true) await syncFolder(path.dirname(folder));
  return { ...written, folder, files: written.files.map((file) => ({ ...file, path: path.join(folder, file.name) })) };
}

/** The newest snapshot that {@link saveSnapshot} left in a folder; undefined when there is none. */
export async function newestSnapshot(parent: string): Promise<string | undefined> {
  const names = await readdir(parent).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const newest = names
    .filter((name) => /^step-\d+(-final)?$/.test(name))
    .toSorted()
    .at(-1);
  return newest === undefined ? undefined : path.join(parent, newest);
}
