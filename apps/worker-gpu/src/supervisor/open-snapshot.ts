import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainerMessage } from '@longrun/contracts';
import { openHandedOver } from '@longrun/platform/worker';
import type { Snapshot, SnapshotFile } from '@longrun/serialization';

/** A snapshot as a trainer announced it: names in its own folder, and what it says that their bytes are. */
export type AnnouncedSnapshot = Pick<
  Extract<TrainerMessage, { type: 'snapshot' }>,
  'name' | 'step' | 'files' | 'environment'
>;

type OpenSnapshotFile = SnapshotFile & { readonly handle: FileHandle };

/** A snapshot whose files are held open: what is committed is what was opened, whatever becomes of their names. */
export interface OpenSnapshot extends Snapshot {
  readonly files: readonly OpenSnapshotFile[];
  close(): Promise<void>;
}

/**
 * Opens what a trainer announced, in `snapshots` below its folder.
 *
 * @throws HandoverRefused when it is not plain files there; errors of the disk as they are
 */
export async function openSnapshot(workFolder: string, announced: AnnouncedSnapshot): Promise<OpenSnapshot> {
  const { name, step, environment } = announced;
  const files: OpenSnapshotFile[] = [];
  const close = async (): Promise<void> => {
    for (const { handle } of files) await handle.close();
  };
  try {
    for (const file of announced.files) {
      const handle = await openHandedOver(workFolder, 'snapshots', name, file.name);
      files.push({ ...file, path: join(workFolder, 'snapshots', name, file.name), handle });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { step, environment, files, close };
}
