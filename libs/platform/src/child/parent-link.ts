import { Worker } from 'node:worker_threads';

/**
 * A supervised child's side of its IPC channel. Making one gives the process the manners of such a child: SIGTERM and SIGINT are
 * the worker's business and are ignored, for a terminal or a container sends them to both; and when the worker has gone, so does the
 * child with its whole process group: at once if its event loop turns, else at the next {@link leaveIfOrphaned}, and within a second
 * even if it is caught in a loop or a native call.
 */
export class ParentLink {
  readonly #parent = process.ppid;
  #outstanding = 0;
  #settled: (() => void)[] = [];

  /** @param onMessage what the worker says; not yet validated */
  constructor(onMessage: (message: unknown) => void) {
    if (process.send === undefined)
      throw new Error('This module is run by a worker as its child process; start the worker instead.');
    process.on('SIGTERM', () => {});
    process.on('SIGINT', () => {});
    process.on('disconnect', leaveOrphaned);
    // It went while this process was loading.
    if (!process.connected) leaveOrphaned();
    process.on('message', onMessage);
    new Worker(WATCHDOG, { eval: true, workerData: this.#parent, env: {} }).unref();
  }

  /** Says something to the worker. Never throws: a worker that has gone is noticed otherwise. */
  send(message: object): void {
    if (!process.connected) return;
    this.#outstanding += 1;
    process.send?.(message, undefined, undefined, () => {
      this.#outstanding -= 1;
      if (this.#outstanding > 0) return;
      for (const settle of this.#settled.splice(0)) settle();
    });
  }

  /** Resolves when all that was said has left this process. */
  async settled(): Promise<void> {
    if (this.#outstanding === 0) return;
    await new Promise<void>((resolve) => this.#settled.push(resolve));
  }

  /** True while the worker is so far behind in hearing that what is said fills the memory here; then await {@link settled}. */
  get isBehind(): boolean {
    return this.#outstanding > 256;
  }

  /** Ends the process if the worker has gone. */
  leaveIfOrphaned(): void {
    if (process.ppid !== this.#parent || !process.connected) leaveOrphaned();
  }

  /** Says a last word and ends the process. Does not return. */
  async leave(lastWord: object, exitCode: number): Promise<never> {
    this.send(lastWord);
    await this.settled();
    process.exit(exitCode);
  }
}

/** Exit code of a child whose worker has gone, and that leads no process group. */
const ORPHANED = 113;

function leaveOrphaned(): never {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // There is no group of this number: it was started by hand.
  }
  process.exit(ORPHANED);
}

/** A thread of its own, for the main one may never come back. */
const WATCHDOG = `
  const { workerData: parent } = require('node:worker_threads');
  setInterval(() => {
    if (process.ppid === parent) return;
    try {
      process.kill(-process.pid, 'SIGKILL');
    } catch {
      process.kill(process.pid, 'SIGKILL');
    }
  }, 500);
`;
