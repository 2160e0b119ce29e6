import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { makeStateFolder } from '../configuration/private-files.js';
import { identify } from '../processes/process-table.js';
import { removeTree } from './remove-tree.js';

/**
 * Makes this process's own scratch folder `<stateFolder>/<kind>-<host>-<pid>` and removes those of the same kind whose process on
 * this host is dead (a reused process id is told apart by the start time that each folder names). Returns its path. What cannot be
 * removed is said and does no harm.
 */
export async function claimScratchFolder(
  stateFolder: string,
  kind: string,
  report: (sentence: string) => void,
): Promise<string> {
  const prefix = `${kind}-${hostname()}-`;
  await makeStateFolder(stateFolder);
  for (const name of await readdir(stateFolder)) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : Number.NaN;
    if (!Number.isSafeInteger(pid)) continue;
    const folder = join(stateFolder, name);
    // In a container every worker may be process 1: a folder under our own id is a predecessor's.
    if (pid !== process.pid && (await isAlive(pid, folder))) continue;
    const left = await removeTree(folder);
    if (left !== undefined) report(left);
  }
  const own = join(stateFolder, `${prefix}${process.pid}`);
  await mkdir(own, { recursive: true });
  await writeFile(join(own, OWNER_FILE), (await identify(process.pid))?.started ?? '');
  return own;
}

const OWNER_FILE = 'owner';

async function isAlive(pid: number, folder: string): Promise<boolean> {
  const found = await identify(pid);
  const recorded = await readFile(join(folder, OWNER_FILE), 'utf8').catch(() => '');
  return found !== undefined && (recorded === '' || found.started === recorded);
}
