import { setTimeout as sleep } from 'node:timers/promises';
import { type AttemptMark, markedProcesses } from './attempt-mark.js';
import { lookMsFor, ObservedTime } from '@longrun/serialization/observed-time';
import { isAlive, type ProcessEntry, type ProcessIdentity, processTable, sendSignal } from './process-table.js';

/**
 * How long the kernel may take to end killed processes, in ms: to schedule them on a busy machine, and to write out or free the memory of
 * large ones. One in a native call of a device can take for ever.
 */
export const GONE_WITHIN_MS = 60_000;

/**
 * A child that leads a process group, and all that it has started, to any depth: what is in its group or its session, what descends
 * from those, what was once seen to, and what bears its mark. Only who takes off all of these is not found.
 */
export class ProcessTree {
  readonly #leader: number;
  readonly #mark: AttemptMark;
  /** Those seen so far, by number: a son whose father has ended cannot be told from a stranger any more. */
  readonly #seen = new Map<number, string>();

  readonly #others: () => readonly number[];

  /** @param others numbers of further processes that are known to belong to it */
  constructor(leader: number, mark: AttemptMark, others: () => readonly number[] = () => []) {
    this.#leader = leader;
    this.#mark = mark;
    this.#others = others;
  }

  /** The living processes of the tree, its leader included. */
  async members(): Promise<ProcessEntry[]> {
    return this.#membersIn(await processTable());
  }

  /**
   * Kills the whole tree with SIGKILL. Resolves when none of it is left, or with those that are still there after `withinMs` of
   * observed time. Rejects when the process table could not be read until then.
   */
  async end(withinMs: number): Promise<readonly ProcessIdentity[]> {
    return await killUntilGone(async () => await this.membersIn(await processTable()), withinMs);
  }

  /**
   * Those of a table that are of the tree, with their environments read too: dearer, and finds those who left the group before they were ever
   * seen in it.
   */
  async membersIn(table: readonly ProcessEntry[]): Promise<ProcessEntry[]> {
    for (const { pid, started, mark } of await markedProcesses(table))
      if (mark.text === this.#mark.text) this.#seen.set(pid, started);
    return this.#membersIn(table);
  }

  #membersIn(table: readonly ProcessEntry[]): ProcessEntry[] {
    const others = new Set(this.#others());
    const members = new Set(
      table.filter(
        ({ pid, started, group, session }) =>
          group === this.#leader || session === this.#leader || others.has(pid) || this.#seen.get(pid) === started,
      ),
    );
    const numbers = new Set([...members].map(({ pid }) => pid));
    for (let grown = true; grown;) {
      grown = false;
      for (const entry of table) {
        if (members.has(entry) || !numbers.has(entry.parent)) continue;
        members.add(entry);
        numbers.add(entry.pid);
        grown = true;
      }
    }
    for (const { pid, started } of members) this.#seen.set(pid, started);
    return [...members];
  }
}

/**
 * Kills with SIGKILL whoever is found, until nobody is. Resolves then, or with those that are still there after `withinMs` of observed
 * time. Rejects when nobody could be looked for until then.
 */
export async function killUntilGone(
  find: () => Promise<readonly ProcessIdentity[]>,
  withinMs: number,
): Promise<readonly ProcessIdentity[]> {
  const observed = new ObservedTime({ mostPerLookMs: lookMsFor(withinMs) });
  for (let pauseMs = 10; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    observed.looked();
    const isLate = observed.ms >= withinMs;
    const left = await find().catch((error: unknown) => {
      if (isLate) throw error;
    });
    if (left !== undefined && (left.length === 0 || isLate)) return left;
    for (const { pid } of left ?? []) sendSignal(pid, 'SIGKILL');
    await sleep(pauseMs);
  }
}

/** Those who need long to end need the machine more than the look at them does. */
const LONGEST_PAUSE_MS = 200;

/** Kills what attempts of dead workers have left running on this machine, as far as this user may. Resolves with how many there were. */
export async function endLeftovers(): Promise<number> {
  const marked = await markedProcesses(await processTable());
  const left = await Promise.all(
    marked.map(async ({ pid, mark }) => {
      if (await isAlive(mark.worker)) return [];
      return [pid];
    }),
  );
  for (const pid of left.flat()) sendSignal(pid, 'SIGKILL');
  return left.flat().length;
}
