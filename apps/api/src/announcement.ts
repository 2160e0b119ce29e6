import { randomBytes } from 'node:crypto';
import { open, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeStateFolder } from '@longrun/platform/configuration';
import { z } from 'zod';

/** What `<state>/api.json` says: where the API listens, so that commands on the same machine find it. */
export const Announcement = z.object({ url: z.url(), pid: z.int().min(1) });
export type Announcement = z.infer<typeof Announcement>;

/** Where the announcement of a state folder lies. */
export function announcementPath(stateFolder: string): string {
  return join(stateFolder, 'api.json');
}

/**
 * Throws a sentence when another process serves from this state folder: its announcement is there, it lives, and it answers
 * within `timeoutMs`.
 */
export async function refuseIfServed(stateFolder: string, timeoutMs: number): Promise<void> {
  const announced = await announcementOf(stateFolder);
  if (announced === undefined || announced.pid === process.pid || !isAlive(announced.pid)) return;
  const answer = await fetch(new URL('/health/live', announced.url), { signal: AbortSignal.timeout(timeoutMs) }).catch(
    () => undefined,
  );
  if (answer?.ok !== true) return;
  throw new Error(
    `The state folder ${stateFolder} is in use by process ${announced.pid}, which listens at ${announced.url}; ` +
      'stop it, or give another folder in LONGRUN_STATE',
  );
}

/** Writes the announcement; who reads it sees the old one or the new one, never half of it. */
export async function announce(stateFolder: string, announcement: Announcement): Promise<void> {
  const path = announcementPath(stateFolder);
  // Nothing else lies in it where record, objects and token are elsewhere.
  await makeStateFolder(stateFolder);
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

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // One that may not be signalled is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
