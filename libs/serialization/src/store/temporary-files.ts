import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';

import { absent, codeOf } from '../file-error.js';

/**
 * The files and folders that are being written in a folder, each named after the process that writes it: so what a killed one has left can be told from
 * what a slow one is still writing, whatever the clock says.
 */
export class TemporaryFiles {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** A path for a new file or folder of this process. */
  next(): string {
    return path.join(this.folder, `${OWN_HOST}.${process.pid}.${THIS_PROCESS}.${randomUUID()}`);
  }

  /**
   * Removes those of processes that are gone, and answers how many there were: those of this host that were not written to for an hour, as
   * a container may see only its own processes, and others, whose writers cannot be asked after, when they were not for a week.
   */
  async sweep(): Promise<number> {
    let swept = 0;
    for (const name of (await readdir(this.folder).catch(absent)) ?? []) {
      const file = path.join(this.folder, name);
      if (!(await isAbandoned(file, name))) continue;
      await rm(file, { recursive: true, force: true });
      swept += 1;
    }
    return swept;
  }
}

async function isAbandoned(file: string, name: string): Promise<boolean> {
  const [, host, pid, writer] = OWNED.exec(name) ?? [];
  if (host === OWN_HOST && isAlive(Number(pid), writer)) return false;
  const writtenMs = (await stat(file).catch(absent))?.mtimeMs;
  const abandonedMs = host === OWN_HOST ? HOUR_MS : 7 * 24 * HOUR_MS;
  return writtenMs !== undefined && Date.now() - writtenMs > abandonedMs;
}

/** In a container that was started again host and number are those of the process before. */
function isAlive(pid: number, writer: string | undefined): boolean {
  if (pid === process.pid) return writer === THIS_PROCESS;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Any other refusal comes from a process that is there.
    return codeOf(error) !== 'ESRCH';
  }
}

const OWN_HOST = hostname().replaceAll(/[^\w-]/gu, '_');
const THIS_PROCESS = randomUUID();
// Earlier builds wrote no id of the process.
const OWNED = /^([\w-]+)\.(\d+)\.(?:([0-9a-f-]{36})\.)?[0-9a-f-]{36}$/u;
const HOUR_MS = 60 * 60_000;
