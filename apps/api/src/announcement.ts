import { randomBytes } from 'node:crypto';
import { open, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeStateFolder } from '@longrun/platform/configuration';
import { FolderInUse, FolderLock } from '@longrun/platform/processes';
import { z } from 'zod';

/** What `<state>/api.json` says: where the API listens, so that commands on the same machine find it. */
export const Announcement = z.object({ url: z.url(), pid: z.int().min(1) });
export type Announcement = z.infer<typeof Announcement>;

/** Where the announcement of a state folder lies. */
export function announcementPath(stateFolder: string): string {
  return join(stateFolder, 'api.json');
}

/**
 * Makes this process the one of this host that serves from a state folder, as long as it lives or until the lock is released; throws a
 * sentence while another one does, whether it answers or not. Those of other hosts are kept apart by the record.
 */
export async function claim(stateFolder: string): Promise<FolderLock> {
  await makeStateFolder(stateFolder);
  try {
    return await FolderLock.take(join(stateFolder, 'api-lock'), { amongHosts: false });
  } catch (error) {
    if (!(error instanceof FolderInUse)) throw error;
    const announced = await announcementOf(stateFolder);
    const where = announced?.pid === error.pid ? `, which listens at ${announced.url}` : ', which does not listen yet';
    throw new Error(
      `The state folder ${stateFolder} is in use by process ${error.pid}${where}; ` +
        'stop it, or give another folder in LONGRUN_STATE',
      { cause: error },
    );
  }
}

/** Writes the announcement; who reads it sees the old one or the new one, never half of it. */
export async function announce(stateFolder: string, announcement: Announcement): Promise<void> {
  const path = announcementPath(stateFolder);
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(announcement)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

/** Removes the announcement, unless it is by now that of another process. */
export async function withdraw(stateFolder: string): Promise<void> {
  const announced = await announcementOf(stateFolder);
  if (announced?.pid === process.pid) await unlink(announcementPath(stateFolder));
}

/** The announcement of a state folder; undefined when there is none that can be read. */
export async function announcementOf(stateFolder: string): Promise<Announcement | undefined> {
  const text = await readFile(announcementPath(stateFolder), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return Announcement.parse(JSON.parse(text));
  } catch {
    // A damaged file says nothing; the next start replaces it.
    return undefined;
  }
}
