import { setImmediate as turn } from 'node:timers/promises';
import { type ProcessEntry, type ProcessIdentity, processTable } from './process-table.js';
import { killUntilGone, type ProcessTree } from './process-tree.js';
import { isHidden, readProcessFile } from './stat-fields.js';

/**
 * A user of the system that only children of this process are, and what these have started. Whoever is it and belongs to none of them has
 * escaped from one: it could signal and trace the next.
 */
export class OwnUser {
  static readonly #known = new Map<number, OwnUser>();

  readonly uid: number;
  /** Of the children that run. */
  readonly #trees = new Set<ProcessTree>();

  private constructor(uid: number) {
    this.uid = uid;
  }

  /** The same one for the same number, for whoever in this process has children that are it. */
  static of(uid: number): OwnUser {
    const user = OwnUser.#known.get(uid) ?? new OwnUser(uid);
    OwnUser.#known.set(uid, user);
    return user;
  }

  /** A child runs now. To be called as soon as it is started. */
  add(tree: ProcessTree): void {
    this.#trees.add(tree);
  }

  /** A child has ended: what is left of it is nobody's. */
  remove(tree: ProcessTree): void {
    this.#trees.delete(tree);
  }

  /**
   * Kills with SIGKILL who belongs to no child. Resolves when nobody does, or with those that are still there after `withinMs`. Rejects when
   * the process table could not be read until then.
   */
  async endStrangers(withinMs: number): Promise<readonly ProcessIdentity[]> {
    return await killUntilGone(async () => await this.#strangers(), withinMs);
  }

  async #strangers(): Promise<ProcessEntry[]> {
    const mine: ProcessEntry[] = [];
    const table = await processTable();
    for (const [index, entry] of table.entries()) {
      // Thousands are not to keep everything else waiting.
      if (index % 200 === 199) await turn();
      if (usersOf(entry.pid).includes(this.uid)) mine.push(entry);
    }
    if (mine.length === 0) return [];
    const belonging = new Set<number>();
    // Also those that were added since: a child is in the table only after it was started.
    for (const tree of this.#trees) for (const { pid } of await tree.membersIn(table)) belonging.add(pid);
    return mine.filter(({ pid }) => !belonging.has(pid));
  }
}

/** Who a process is: really, in effect, as it was, and for files. Nobody where it has gone, or may not be looked at. */
function usersOf(pid: number): readonly number[] {
  try {
    const [, users = ''] = /^Uid:\s+(.*)$/m.exec(readProcessFile(pid, 'status') ?? '') ?? [];
    return users.split(/\s+/).map(Number);
  } catch (error) {
    if (isHidden(error)) return [];
    throw error;
  }
}
