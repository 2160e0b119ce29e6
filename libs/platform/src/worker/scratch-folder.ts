import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { makeStateFolder } from '../configuration/private-files.js';

/**
 * Makes this process's own scratch folder `<stateFolder>/<kind>-<host>-<pid>` and removes those of the same kind whose process on
 * this host is dead (a reused process id is told apart by the start time that each folder names). Returns its path.
 */
export async function claimScratchFolder(stateFolder: string, kind: string): Promise<string> {
  const prefix = `${kind}-${hostname()}-`;
  await makeStateFolder(stateFolder);
  for (const name of await readdir(stateFolder)) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : Number.NaN;
    if (!Number.isSafeInteger(pid)) continue;
    const folder = join(stateFolder, name);
    // In a container every worker may be process 1: a folder under our own id is a predecessor's.
    if (pid === process.pid || !(await isAlive(pid, folder))) await rm(folder, { recursive: true, force: true });
  }
  const own = join(stateFolder, `${prefix}${process.pid}`);
  await mkdir(own, { recursive: true });
  await writeFile(join(own, OWNER_FILE), (await startTime(process.pid)) ?? '');
  return own;
}

const OWNER_FILE = 'owner';

async function isAlive(pid: number, folder: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const started = await startTime(pid);
  const recorded = await readFile(join(folder, OWNER_FILE), 'utf8').catch(() => '');
  return started === undefined || recorded === '' || started === recorded;
}

/** Clock ticks from boot to the start of the process; `undefined` where /proc does not say. */
async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The command name, field 2, is in parentheses and may hold spaces; the start time is field 22.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}
