import type { ExperimentOrigin, Kind } from '@longrun/contracts';
import {
  acquireLease,
  cleanEnded,
  faultPoint,
  type Head,
  HeadDamaged,
  LeaseLost,
  LeaseRefused,
  type ObjectStore,
  readHead,
  reopenLease,
} from '@longrun/serialization';

import { releaseOrigin } from '../life/origin-hold.js';
import { leasePrefix, type Outcome, readOutcome, writeOutcome } from '../life/outcome.js';
import type { LifeWriter } from '../life/writer.js';
import type { Ending } from '../record/tables.js';
import type { Warn } from '../redis/connection.js';
import type { LogCompletion } from './log-completion.js';

export interface EndingsOptions {
  readonly writer: LifeWriter;
  readonly store: ObjectStore;
  readonly logs: LogCompletion;
  /** Takes in all that workers have told so far. Undefined where the process does not lead. */
  readonly catchUp: (() => Promise<unknown>) | undefined;
  readonly warn: Warn;
}

/**
 * Ends lives where it counts: in the head of their lease, and after that in the record. Whatever outcome is in the
 * head first wins, so that a worker's success is never overwritten, and no worker can go on with what was ended.
 */
export class Endings {
  readonly #writer: LifeWriter;
  readonly #store: ObjectStore;
  readonly #logs: LogCompletion;
  readonly #catchUp: EndingsOptions['catchUp'];
  readonly #warn: Warn;
  /** The last work on each life: a request and the reconciler can want the same at once. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor({ writer, store, logs, catchUp, warn }: EndingsOptions) {
    this.#writer = writer;
    this.#store = store;
    this.#logs = logs;
    this.#catchUp = catchUp;
    this.#warn = warn;
  }

  /** Seals the lease of a life whose end is decided, under a new fence. Nothing happens when it has ended already. */
  async settle(id: string): Promise<void> {
    return this.#inTurn(id, () => this.#settle(id));
  }

  /**
   * Cancels an experiment whose job is in the queue, by claiming its fence before a worker does. False when a worker
   * was first: then it has to be told.
   */
  async cancelUnclaimed(kind: Kind, id: string, fence: number): Promise<boolean> {
    return this.#inTurn(id, () => this.#cancelUnclaimed(kind, id, fence));
  }

  /**
   * Reopens the lease of an experiment that is retried, so that a job of it can be claimed. Nothing happens where that is done, nor while one that
   * begins from another's checkpoint has no copy of it: see {@link Forks}.
   */
  async reopen(id: string): Promise<void> {
    await this.#inTurn(id, () => this.#reopen(id));
  }

  /**
   * Takes an experiment's job back out of the queue, by claiming its fence before a worker does, and handing the lease back. False when a worker
   * was first: then it has to be told.
   *
   * @throws HeadDamaged
   */
  async takeBack(id: string, fence: number): Promise<boolean> {
    return this.#inTurn(id, () => this.#takeBack(id, fence));
  }

  /**
   * Takes the outcome in a head, if there is one, into the record: after the events that led to it, as far as they have
   * come. What a worker wrote is left to the leader, who alone takes in events.
   */
  async adopt(kind: Kind, id: string, head: Head | undefined): Promise<boolean> {
    if (head === undefined || head.outcome === null) return false;
    const author = writerOf(head);
    if (author !== null) {
      if (this.#catchUp === undefined) return false;
      await this.#catchUp();
    }
    await this.#end(kind, id, readOutcome(kind, head.outcome), author);
    return true;
  }

  /**
   * Ends a life whose head cannot be read any more, so that nobody can go on with it: only the record can say so. Its objects stay as they
   * are.
   */
  async endDamaged(kind: Kind, id: string, { message }: HeadDamaged): Promise<void> {
    const reason = kind === 'experiment' ? 'checkpoints_damaged' : 'storage_error';
    await this.#writer.write(async (lives) => {
      const life = await lives.find(id);
      if (life !== undefined && life.row.phase !== 'ended') life.endWith({ reason, message });
    });
    await this.settle(id);
  }

  /** The head of a life's lease, as it is now. @throws HeadDamaged */
  async head(kind: Kind, id: string): Promise<Head | undefined> {
    return readHead(this.#store, leasePrefix(kind, id));
  }

  async #settle(id: string): Promise<void> {
    const decided = await this.#writer.write(async (lives) => {
      const life = await lives.find(id);
      if (life === undefined || life.row.ending === null) return undefined;
      const { kind, fence, ending, progressStep, reopening } = life.row;
      const step = Math.max(progressStep, ...[...life.attempts.values()].map((attempt) => attempt.lastStep ?? 0));
      return { kind, fence, ending, step, reopening };
    });
    if (decided === undefined) return;
    const { kind, fence, ending, step, reopening } = decided;
    // The outcome of before is not that of now. What is damaged says neither.
    const uncopied = reopening ? await this.#reopen(id).catch(unlessDamaged) : null;
    await faultPoint('end.unsealed');
    await this.#seal(kind, id, fence, ending, step);
    // Nobody goes on from it now. What is not released ends by itself.
    if (uncopied) await releaseOrigin(this.#store, uncopied, id).catch(() => undefined);
  }

  async #takeBack(id: string, fence: number): Promise<boolean> {
    const prefix = leasePrefix('experiment', id);
    try {
      const lease = await acquireLease(this.#store, prefix, { fence, holder: HOLDER });
      await lease.release();
    } catch (error) {
      if (!(error instanceof LeaseRefused || error instanceof LeaseLost)) throw error;
      const head = error instanceof LeaseRefused ? error.head : await this.head('experiment', id);
      if (await this.adopt('experiment', id, head)) return true;
      // Else a crash came between the claim and its note, or another process does it at the same time.
      if (head?.holder !== HOLDER) return false;
    }
    await this.#writer.write(async (lives) => (await lives.find(id))?.takenBack(fence, new Date()));
    return true;
  }

  /** Answers the checkpoint of another experiment that it begins from, where it has not all that it needs of that yet: nothing is done then. */
  async #reopen(id: string): Promise<ExperimentOrigin | null> {
    const waiting = await this.#writer.write(async (lives) => {
      const life = await lives.find(id);
      if (life?.row.reopening !== true) return undefined;
      const { origin } = await lives.transaction
        .selectFrom('experiments')
        .select('origin')
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      return { fence: life.row.budgetFence, origin, logCompleteTo: life.row.logCompleteTo };
    });
    if (waiting === undefined) return null;
    const { fence, origin, logCompleteTo } = waiting;
    if (origin !== null) {
      const head = await this.head('experiment', id);
      // It would begin at the beginning, or without the rows before it.
      if (head === undefined || head.checkpoints.length === 0 || logCompleteTo < origin.step - 1) return origin;
    }
    await reopenLease(this.#store, leasePrefix('experiment', id), { fence, holder: HOLDER });
    await this.#writer.write(async (lives) => (await lives.find(id))?.reopened(fence));
    return null;
  }

  async #cancelUnclaimed(kind: Kind, id: string, fence: number): Promise<boolean> {
    const prefix = leasePrefix(kind, id);
    const ending: Ending = { reason: 'cancelled', message: null };
    try {
      const lease = await acquireLease(this.#store, prefix, { fence, holder: HOLDER });
      await lease.end(writeOutcome(kind, ending, 0));
      await faultPoint('end.sealed');
      await this.#endUnclaimed(kind, id, ending);
      return true;
    } catch (error) {
      if (error instanceof HeadDamaged) {
        await this.#endUnclaimed(kind, id, ending);
        return true;
      }
      if (!(error instanceof LeaseRefused || error instanceof LeaseLost)) throw error;
      const head = error instanceof LeaseRefused ? error.head : await this.head(kind, id);
      if (await this.adopt(kind, id, head)) return true;
      if (head?.holder !== HOLDER) return false;
      // A crash came between the claim and the end, or another process of the platform cancels it at the same time.
      await this.#seal(kind, id, fence, ending, 0);
      return true;
    }
  }

  /**
   * Ends a lease under a fence above all others, unless it has ended, and takes its outcome into the record. One that is damaged cannot be
   * taken by anybody: then the record alone says it.
   */
  async #seal(kind: Kind, id: string, fence: number, ending: Ending, step: number): Promise<void> {
    const prefix = leasePrefix(kind, id);
    for (let above = fence; ;) {
      let head: Head | undefined;
      try {
        head = await readHead(this.#store, prefix);
      } catch (error) {
        if (!(error instanceof HeadDamaged)) throw error;
        return this.#endUnclaimed(kind, id, ending);
      }
      if (await this.adopt(kind, id, head)) return;
      // Its worker ended it: the leader takes that in.
      if (head !== undefined && head.outcome !== null) return;
      above = Math.max(above, head?.fence ?? 0) + 1;
      try {
        const lease = await acquireLease(this.#store, prefix, { fence: above, holder: HOLDER });
        await lease.end(writeOutcome(kind, ending, step));
        await faultPoint('end.sealed');
        await this.#endUnclaimed(kind, id, ending);
        return;
      } catch (error) {
        // Somebody was faster: look again, with a higher fence.
        if (!(error instanceof LeaseRefused || error instanceof LeaseLost)) throw error;
      }
    }
  }

  async #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const done = before.then(work, work);
    this.#turns.set(id, done);
    try {
      return await done;
    } finally {
      if (this.#turns.get(id) === done) this.#turns.delete(id);
    }
  }

  /** Ends it as the record has decided, whose own the lease is, or nobody's. */
  async #endUnclaimed(kind: Kind, id: string, ending: Ending): Promise<void> {
    await this.#end(kind, id, { ...ending, result: null }, null);
  }

  async #end(kind: Kind, id: string, outcome: Outcome, byFence: number | null): Promise<void> {
    // Whoever sees the end sees the whole log.
    await this.#logs.complete(id, true);
    if (kind === 'experiment') await this.#clean(id);
    await faultPoint('end.log-completed');
    await this.#writer.write(async (lives) => {
      const life = (await lives.load([id], byFence === null ? [] : [byFence])).get(id);
      if (life === undefined || life.row.phase === 'ended') return;
      life.end(outcome, byFence, new Date());
    });
  }

  /** Removes what workers that are gone have left of an experiment. An end does not wait for a store from which something cannot be removed. */
  async #clean(id: string): Promise<void> {
    try {
      await cleanEnded(this.#store, leasePrefix('experiment', id));
    } catch (error) {
      // Its objects are left as they are.
      if (error instanceof HeadDamaged) return;
      this.#warn(`What nobody needs of ${id} any more could not be removed, and stays: ${String(error)}`);
    }
  }
}

function unlessDamaged(error: unknown): null {
  if (error instanceof HeadDamaged) return null;
  throw error;
}

/** The fence of the worker that wrote the outcome; null when it was the record. */
function writerOf(head: Head): number | null {
  return head.holder === HOLDER ? null : head.fence;
}

/** Who holds the leases that the record seals. */
export const HOLDER = 'record';
