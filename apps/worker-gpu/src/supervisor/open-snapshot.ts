import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainerMessage } from '@longrun/contracts';
import { openHandedOver } from '@longrun/platform/worker';
import { type ObjectStore, readSnapshotFile, type ReadSnapshotFile, type Snapshot } from '@longrun/serialization';
import { type OwnedFile, ownFile } from '../owned-file.js';

/** A snapshot as a trainer announced it: names in its own folder, and how large the files are. */
export type AnnouncedSnapshot = Pick<
  Extract<TrainerMessage, { type: 'snapshot' }>,
  'name' | 'step' | 'files' | 'environment'
>;

/** A snapshot whose files became the worker's own, were read, and are held open: what is committed is what was opened, whatever becomes of their names. */
export interface OpenSnapshot extends Snapshot {
  readonly files: readonly (ReadSnapshotFile & OwnedFile)[];
  close(): Promise<void>;
}

/**
 * Opens and reads what a trainer announced, in `snapshots` below its folder, for a store.
 *
 * @throws HandoverRefused when it is not plain files there; SnapshotChanged for another size; errors of the disk as they are
 */
export async function openSnapshot(
  workFolder: string,
  announced: AnnouncedSnapshot,
  store: ObjectStore,
): Promise<OpenSnapshot> {
  const { name, step, environment } = announced;
  const files: (ReadSnapshotFile & OwnedFile)[] = [];
  const handles: FileHandle[] = [];
  const close = async (): Promise<void> => {
    for (const handle of handles) await handle.close();
  };
  try {
    for (const file of announced.files) {
      const handle = await openHandedOver(workFolder, 'snapshots', name, file.name);
      handles.push(handle);
      const path = join(workFolder, 'snapshots', name, file.name);
      const owned = await ownFile({ name: file.name, path, handle });
      files.push({ ...(await readSnapshotFile({ ...file, path, handle }, store)), ...owned });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { step, environment, files, close };
}
