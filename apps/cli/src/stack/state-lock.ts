import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { makeStateFolder } from '@longrun/platform/configuration';
import { FolderInUse, FolderLock, identify, isAlive, type ProcessIdentity } from '@longrun/platform/processes';

/** The file in a state folder that says which processes work on it. */
const SERVICES_FILE = 'up.json';

/** The folder in a state folder whose owner owns the state folder. */
const LOCK_FOLDER = 'lock';

/** What a stack has in its state folder to say that it is its own. */
export const CLAIM_NAMES: ReadonlySet<string> = new Set([SERVICES_FILE, LOCK_FOLDER]);

/** Which processes work on a state folder. */
interface Holding {
  readonly version: 1;
  readonly holder: ProcessIdentity;
  readonly services: Readonly<Record<string, ProcessIdentity>>;
}

/** Another stack runs on this state folder. */
export class StateFolderInUse extends Error {
  override readonly name = 'StateFolderInUse';

  static by(pid: number, folder: string): StateFolderInUse {
    return new StateFolderInUse(
      `a Longrun stack runs on ${folder} already (process ${pid}); stop that one, or give this one another folder with --state`,
    );
  }
}

/** A state folder held by this process; at most one stack runs on a folder. */
export class StateLock {
  readonly #path: string;
  readonly #lock: FolderLock;
  #holding: Holding;
  /** Settles when the newest record has been written, or could not be. */
  #written: Promise<void> = Promise.resolve();
  /** Services of a holder that died without stopping them; the next holder has to. */
  readonly leftovers: Readonly<Record<string, ProcessIdentity>>;

  private constructor(path: string, lock: FolderLock, holding: Holding) {
    this.#path = path;
    this.#lock = lock;
    this.#holding = holding;
    this.leftovers = holding.services;
  }

  /** Takes the folder. Throws StateFolderInUse when a living process holds it; a dead one's claim is taken over. */
  static async take(folder: string): Promise<StateLock> {
    await makeStateFolder(folder);
    const holder = await identify(process.pid);
    if (holder === undefined) throw new Error(`process ${process.pid} does not find itself in the process table`);
    const lock = await own(folder);
    try {
      const path = join(folder, SERVICES_FILE);
      const present = await readHolding(path);
      // A build of before had this file only.
      if (present !== undefined && (await isAlive(present.holder)))
        throw StateFolderInUse.by(present.holder.pid, folder);
      // Kept until others take their names: if this process were killed, the next one would have to stop them.
      const taken = new StateLock(path, lock, { version: 1, holder, services: { ...present?.services } });
      await taken.#write();
      return taken;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /**
   * Keeps which process a service is now, so that it is found even if this process is killed. What could not be written is
   * written with the next one.
   */
  async record(service: string, identity: ProcessIdentity): Promise<void> {
    this.#holding = { ...this.#holding, services: { ...this.#holding.services, [service]: identity } };
    // One after the other: of two at once, the older might be put in place last.
    this.#written = this.#written.catch(() => undefined).then(() => this.#write());
    await this.#written;
  }

  /** Gives the folder back. */
  async release(): Promise<void> {
    await this.#written.catch(() => undefined);
    await rm(this.#path, { force: true });
    await this.#lock.release();
  }

  async #write(): Promise<void> {
    const draft = `${this.#path}.${randomUUID()}`;
    try {
      await writeFile(draft, JSON.stringify(this.#holding), { mode: 0o600 });
      await rename(draft, this.#path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }
}

/** Throws StateFolderInUse when another process owns the folder. */
async function own(folder: string): Promise<FolderLock> {
  try {
    return await FolderLock.take(join(folder, LOCK_FOLDER));
  } catch (error) {
    if (!(error instanceof FolderInUse)) throw error;
    throw error.host === hostname() ? StateFolderInUse.by(error.pid, folder) : new StateFolderInUse(error.message);
  }
}

/** What the last holder wrote; undefined if there is nothing, or it is damaged. */
async function readHolding(path: string): Promise<Holding | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isHolding(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function isHolding(value: unknown): value is Holding {
  return typeof value === 'object' && value !== null && 'version' in value && value.version === 1 && 'holder' in value;
}
