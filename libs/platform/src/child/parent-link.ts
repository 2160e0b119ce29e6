import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { BEAT_EVERY_MS, MESSAGES_FD, SIGNS_FD, WHEREABOUTS_QUESTION } from '@longrun/contracts';
import { MessageChannel } from './message-channel.js';
import { killOwnGroup } from './own-group.js';
import { MARKS, type WatchdogData } from './watchdog-marks.js';

/**
 * A supervised child's side of the channel to its worker. Making one gives the process the manners of such a child: SIGTERM and SIGINT are
 * the worker's business and are ignored, for a terminal or a container sends them to both; and when the worker has gone, so does the
 * child with its whole process group: at once if its event loop turns, else at the next {@link leaveIfOrphaned}, and within a second
 * even if it is caught in a loop or a native call.
 */
export class ParentLink {
  readonly #parent = process.ppid;
  /** Read by the watchdog, at any time. */
  readonly #marks = new Float64Array(new SharedArrayBuffer(8 * Object.keys(MARKS).length));
  readonly #watchdog: Worker;
  readonly #channel: MessageChannel;
  #places = 0;
  #settled: (() => void)[] = [];

  /** @param onMessage what the worker says; not yet validated */
  constructor(onMessage: (message: unknown) => void) {
    const socket = openChannel();
    process.on('SIGTERM', () => {});
    process.on('SIGINT', () => {});
    // By itself Node opens an inspector, through which others of this user would have it evaluate code.
    process.on('SIGUSR1', () => {});
    for (const end of ['end', 'close'] as const) socket.on(end, leaveOrphaned);
    this.#channel = new MessageChannel(socket, { onMessage, onGarbage: leaveOrphaned });
    const workerData: WatchdogData = {
      parent: this.#parent,
      signsFd: SIGNS_FD,
      beatEveryMs: BEAT_EVERY_MS,
      question: WHEREABOUTS_QUESTION,
      marks: this.#marks,
    };
    this.#watchdog = new Worker(new URL('watchdog.js', import.meta.url), { workerData, env: {} });
    this.#watchdog.unref();
  }

  /** Names a place in the work of this process, once; with what it answers {@link at} says that the work is there. */
  place(name: string): number {
    this.#watchdog.postMessage(name, []);
    this.#places += 1;
    return this.#places;
  }

  /** Says that it moves, and to where. The worker is told soon, even if the process gets stuck there; it costs next to nothing. */
  at(place: number): void {
    this.#marks[MARKS.place] = place;
    this.moved();
  }

  /** Says that it moves. */
  moved(): void {
    this.#marks[MARKS.moves] = (this.#marks[MARKS.moves] ?? 0) + 1;
  }

  /** Says that one more step is done. */
  stepped(): void {
    this.#marks[MARKS.steps] = (this.#marks[MARKS.steps] ?? 0) + 1;
    this.moved();
  }

  /** Says something to the worker. Never throws: a worker that has gone is noticed otherwise. */
  send(message: object): void {
    this.#channel.send(message, () => {
      if (this.#channel.outstanding > 0) return;
      for (const settle of this.#settled.splice(0)) settle();
    });
  }

  /** Resolves when all that was said has left this process. */
  async settled(): Promise<void> {
    if (this.#channel.outstanding === 0) return;
    await new Promise<void>((resolve) => this.#settled.push(resolve));
  }

  /** True while the worker is so far behind in hearing that what is said fills the memory here; then await {@link settled}. */
  get isBehind(): boolean {
    return this.#channel.outstanding > 256;
  }

  /** Ends the process if the worker has gone. */
  leaveIfOrphaned(): void {
    if (process.ppid !== this.#parent || !this.#channel.isOpen) leaveOrphaned();
  }

  /** Says a last word and ends the process. Does not return. */
  async leave(lastWord: object, exitCode: number): Promise<never> {
    this.send(lastWord);
    await this.settled();
    process.exit(exitCode);
  }
}

/** @throws Error where this process was not started by a worker */
function openChannel(): Socket {
  try {
    if (fstatSync(MESSAGES_FD).isSocket()) return new Socket({ fd: MESSAGES_FD, readable: true, writable: true });
  } catch {
    // Nothing is open there.
  }
  throw new Error('This module is run by a worker as its child process; start the worker instead.');
}

/** Exit code of a child whose worker has gone, and that leads no process group. */
const ORPHANED = 113;

function leaveOrphaned(): never {
  killOwnGroup();
  process.exit(ORPHANED);
}
