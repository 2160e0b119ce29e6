import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainerMessage } from '@longrun/contracts';
import { openHandedOver } from '@longrun/platform/worker';
import { type ObjectStore, readSnapshotFile, type ReadSnapshotFile, type Snapshot } from '@longrun/serialization';
import { type OwnedFile, ownFile } from '../owned-file.js';
import type { FollowedFiles } from './snapshot-follower.js';

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
 * @param options.followed What has been read of it while it was written; of the rest it lets go
 * @param options.signal Aborted, nothing is read to its end
 * @throws HandoverRefused when it is not plain files there; SnapshotChanged for another size; errors of the disk as they are
 */
export async function openSnapshot(
  workFolder: string,
  announced: AnnouncedSnapshot,
  store: ObjectStore,
  { followed, signal }: { readonly followed: FollowedFiles; readonly signal: AbortSignal },
): Promise<OpenSnapshot> {
  const { name, step, environment } = announced;
  const files: (ReadSnapshotFile & OwnedFile)[] = [];
  const handles: FileHandle[] = [];
  const close = async (): Promise<void> => {
    for (const handle of handles) await handle.close();
  };
  try {
    for (const file of announced.files) {
      const opened = await openHandedOver(workFolder, 'snapshots', name, file.name);
      handles.push(opened);
      const begun = await followed.fetch(opened);
      if (begun !== undefined) handles.push(begun.handle);
      const handle = begun?.handle ?? opened;
      const path = join(workFolder, 'snapshots', name, file.name);
      const owned = await ownFile({ name: file.name, path, handle });
      files.push({
        ...(await readSnapshotFile({ ...file, path, handle }, store, { begun: begun?.hash, signal })),
        ...owned,
      });
    }
  } catch (error) {
    await close();
    throw error;
  } finally {
    await followed.close();
  }
  return { step, environment, files, close };
}
