import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { v7 as uuid } from 'uuid';
import { z } from 'zod';

import { identify } from './process-table.js';

/** A folder is held by another process, or by one that cannot be asked from here; the sentence says what to do. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';

  /** Who holds it. */
  readonly pid: number;
  /** The host that it is a process of. */
  readonly host: string;

  constructor(message: string, { pid, host }: { readonly pid: number; readonly host: string }) {
    super(message);
    this.pid = pid;
    this.host = host;
  }
}

/**
 * Says that one process owns a folder: the embedded record, where two processes would lose acknowledged rows, or the state folder
 * of a stack.
 *
 * The lock is a growing row of files `lock.<number>`; the highest one says who holds it. It is taken by making the next
 * one, which the file system lets only one process do. The highest is never deleted, so that a process that read it
 * long ago cannot take a number that others have gone past.
 */
export class FolderLock {
  readonly #folder: string;
  #number: number;

  private constructor(folder: string, number: number) {
    this.#folder = folder;
    this.#number = number;
  }

  /**
   * Takes the lock, also from a holder that is dead: pid and start time tell. Throws FolderInUse, which names the holder's pid,
   * when it lives.
   *
   * @param amongHosts whether processes of other hosts, of which that cannot be told, count; where not, the lock is taken from them.
   * Default true.
   */
  static async take(folder: string, { amongHosts = true } = {}): Promise<FolderLock> {
    await mkdir(folder, { recursive: true });
    const me: Holder = { pid: process.pid, startedAt: await startOf(process.pid), host: hostname(), released: false };
    for (;;) {
      const highest = await highestNumber(folder);
      const holder = highest > 0 ? await readHolder(folder, highest) : undefined;
      if (holder !== undefined && (amongHosts || holder.host === hostname()))
        await refuseIfHeld(folder, highest, holder);
      if (await append(folder, highest + 1, me)) return new FolderLock(folder, highest + 1);
    }
  }

  /** Gives the lock back. A folder that was removed meanwhile is nobody's. */
  async release(): Promise<void> {
    const released: Holder = { pid: process.pid, startedAt: null, host: hostname(), released: true };
    try {
      if (await append(this.#folder, this.#number + 1, released)) this.#number += 1;
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error;
    }
  }
}

const Holder = z.object({
  pid: z.int(),
  /** When the process began, as the system says it: pids are used again. Null when it cannot be found out. */
  startedAt: z.string().nullable(),
  host: z.string(),
  released: z.boolean(),
});
type Holder = z.infer<typeof Holder>;

async function refuseIfHeld(folder: string, number: number, holder: Holder): Promise<void> {
  if (holder.released) return;
  const file = join(folder, `lock.${number}`);
  if (holder.host !== hostname()) {
    throw new FolderInUse(
      `The folder ${folder} is locked by process ${holder.pid} on host ${holder.host}, which cannot be asked from here; ` +
        `stop it, or delete ${file} if it is surely gone`,
      holder,
    );
  }
  const startedAt = await startOf(holder.pid);
  if (startedAt === null || (holder.startedAt !== null && holder.startedAt !== startedAt)) return;
  throw new FolderInUse(
    `The folder ${folder} is in use by process ${holder.pid} (${file}); stop that process, or use another folder`,
    holder,
  );
}

/** Makes file `number`; false when somebody else made it, or has gone past it. */
async function append(folder: string, number: number, holder: Holder): Promise<boolean> {
  const draft = join(folder, `lock-draft-${uuid()}`);
  const file = join(folder, `lock.${number}`);
  await writeFile(draft, JSON.stringify(holder), { flush: true });
  try {
    await link(draft, file);
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const numbers = await lockNumbers(folder);
  if (numbers.some((other) => other > number)) {
    await rm(file, { force: true });
    return false;
  }
  for (const older of numbers.filter((other) => other < number)) {
    await rm(join(folder, `lock.${older}`), { force: true });
  }
  return true;
}

async function readHolder(folder: string, number: number): Promise<Holder | undefined> {
  try {
    return Holder.parse(JSON.parse(await readFile(join(folder, `lock.${number}`), 'utf8')));
  } catch (error) {
    // Collected meanwhile: somebody is further on, and the next append fails.
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function highestNumber(folder: string): Promise<number> {
  return Math.max(0, ...(await lockNumbers(folder)));
}

async function lockNumbers(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  return names.flatMap((name) => {
    const match = /^lock\.(\d+)$/.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
}

/** When a process began, as the system says it; null when there is no such process. */
async function startOf(pid: number): Promise<string | null> {
  return (await identify(pid))?.started ?? null;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
