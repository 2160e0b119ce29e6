import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { makeStateFolder } from '@longrun/platform/configuration';
import { type ProcessIdentity, identify, isAlive } from '@longrun/platform/processes';

/** The file in a state folder that says who holds it. */
export const LOCK_FILE = 'up.json';

/** Who holds a state folder, and which processes work on it. */
interface Holding {
  readonly version: 1;
  readonly holder: ProcessIdentity;
  readonly services: Readonly<Record<string, ProcessIdentity>>;
}

/** Another stack runs on this state folder. */
export class StateFolderInUse extends Error {
  override readonly name = 'StateFolderInUse';
}

/** A state folder held by this process; at most one stack runs on a folder. */
export class StateLock {
  readonly #path: string;
  #holding: Holding;
  /** Settles when the newest record has been written, or could not be. */
  #written: Promise<void> = Promise.resolve();
  /** Services of a holder that died without stopping them; the next holder has to. */
  readonly leftovers: Readonly<Record<string, ProcessIdentity>>;

  private constructor(path: string, holding: Holding, leftovers: Holding['services']) {
    this.#path = path;
    this.#holding = holding;
    this.leftovers = leftovers;
  }

  /** Takes the folder. Throws StateFolderInUse when a living process holds it; a dead one's claim is taken over. */
  static async take(folder: string): Promise<StateLock> {
    await makeStateFolder(folder);
    const path = join(folder, LOCK_FILE);
    const holder = await identify(process.pid);
    if (holder === undefined) throw new Error(`process ${process.pid} does not find itself in the process table`);
    const holding: Holding = { version: 1, holder, services: {} };
    let leftovers: Holding['services'] = {};
    for (;;) {
      if (await claim(path, holding)) return new StateLock(path, holding, leftovers);
      const text = await readFile(path, 'utf8').catch(() => undefined);
      if (text === undefined) continue;
      const present = parse(text);
      if (present !== undefined && (await isAlive(present.holder))) {
        throw new StateFolderInUse(
          `a Longrun stack runs on ${folder} already (process ${present.holder.pid}); stop that one, or give this one another folder with --state`,
        );
      }
      leftovers = { ...leftovers, ...present?.services };
      await takeAway(path, text);
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

/** Puts the claim in place with its content in one step; false if there is one already. */
async function claim(path: string, holding: Holding): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(holding), { mode: 0o600 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Removes a dead holder's claim, unless someone else has replaced it in the meantime. */
async function takeAway(path: string, expected: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  if ((await readFile(aside, 'utf8')) !== expected) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

function parse(text: string): Holding | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isHolding(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isHolding(value: unknown): value is Holding {
  return typeof value === 'object' && value !== null && 'version' in value && value.version === 1 && 'holder' in value;
}
