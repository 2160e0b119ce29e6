import { randomUUID } from 'node:crypto';

import { faultPoint } from '../fault-point/fault-point.js';
import type { Json } from '../state.js';
import { type ObjectStore, PreconditionFailed } from '../store/object-store.js';
import {
  encodeHead,
  type Head,
  headKey,
  isReleased,
  readHead,
  readVersionedHead,
  RELEASED,
  sameButHolds,
} from './head.js';

/** Who takes a lease. */
export interface LeaseClaim {
  /** Issued by the record, higher for each attempt; 0 or more. */
  readonly fence: number;
  /** Name of the process, for people. */
  readonly holder: string;
  /**
   * Unique to this taking of the lease, the same each time that it is tried again: one that was taken, though no answer came, is known by it.
   * Not empty. Default: it is not tried again.
   */
  readonly claim?: string;
}

/**
 * Takes the lease under a prefix, such as `experiments/<id>`, by raising the fence in its head. Whoever held it before can no
 * longer commit. A fence can be taken once only, whether it was released since or not.
 *
 * @throws LeaseRefused if the head has this or a higher fence, or an outcome; HeadDamaged if it cannot be read.
 */
export async function acquireLease(store: ObjectStore, prefix: string, claimed: LeaseClaim): Promise<Lease> {
  const { fence, holder, claim = randomUUID() } = claimed;
  if (!Number.isSafeInteger(fence) || fence < 0) {
    throw new RangeError(`lease of ${prefix}: fence is ${fence}; give an integer of 0 or more, issued by the record`);
  }
  if (claim === RELEASED) throw new RangeError(`lease of ${prefix}: claim is empty; give one that no other taking has`);
  for (;;) {
    const current = await readVersionedHead(store, prefix);
    // Ours already: the answer to an earlier round was lost.
    if (current?.head.claim === claim) return new Lease(store, prefix, current.head, current.version);
    if (current !== undefined) refuse(prefix, fence, current.head);
    const head: Head = {
      version: 3,
      fence,
      holder,
      claim,
      checkpoints: current?.head.checkpoints ?? [],
      log: current?.head.log ?? null,
      outcome: null,
    };
    await faultPoint('lease.read');
    try {
      const version = await store.compareAndSet(headKey(prefix), current?.version ?? null, encodeHead(head));
      await faultPoint('lease.claimed');
      return new Lease(store, prefix, head, version);
    } catch (error) {
      if (!(error instanceof PreconditionFailed)) throw error;
    }
  }
}

/**
 * Takes the outcome out of the head of a run that has ended, so that it can go on: a lease can be taken again, under a fence above this one, and
 * nobody who held one before can write. Checkpoints and log stay. Nothing changes where there is no head, or one of this or a higher fence: it is done.
 *
 * To be done by whoever issues fences, once it is known that none above the head's was issued but this one.
 *
 * @throws HeadDamaged
 */
export async function reopenLease(
  store: ObjectStore,
  prefix: string,
  { fence, holder }: Pick<LeaseClaim, 'fence' | 'holder'>,
): Promise<void> {
  for (;;) {
    const current = await readVersionedHead(store, prefix);
    if (current === undefined || current.head.fence >= fence) return;
    const head: Head = { ...current.head, fence, holder, claim: RELEASED, outcome: null };
    try {
      await store.compareAndSet(headKey(prefix), current.version, encodeHead(head));
      return;
    } catch (error) {
      // Somebody has put a hold on a checkpoint, or reopened it.
      if (!(error instanceof PreconditionFailed)) throw error;
    }
  }
}

/**
 * The right to write under a prefix, until another takes it, or it is ended or released. Get one from {@link acquireLease}. It does not run
 * out: whoever holds it asks now and then whether it does so still ({@link isHeld}), and others learn from the head that it is free.
 */
export class Lease {
  readonly prefix: string;
  readonly #store: ObjectStore;
  readonly #claim: string;
  readonly #over = new AbortController();
  #head: Head;
  #version: string;
  #isReleasing = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: ObjectStore, prefix: string, head: Head, version: string) {
    this.#store = store;
    this.prefix = prefix;
    this.#claim = head.claim;
    this.#head = head;
    this.#version = version;
    this.#see(head, version);
  }

  get fence(): number {
    return this.#head.fence;
  }

  get holder(): string {
    return this.#head.holder;
  }

  /**
   * For the work that is done under this lease: aborted, with the {@link LeaseLost} as its reason, as soon as anything that it does finds that
   * nothing can be written under it any more. A store that does not answer proves nothing, and aborts nothing.
   */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** The head as this lease last wrote or read it. */
  head(): Head {
    return this.#head;
  }

  /**
   * Whether nobody has taken the lease since, and it was not released; if not, its signal is aborted. Waits for no other work of this
   * lease, such as a long commit, and changes nothing that is known of the head.
   */
  async isHeld(): Promise<boolean> {
    const head = await readHead(this.#store, this.prefix);
    if (head?.claim === this.#claim) return true;
    this.#lose(this.#lossTo(head));
    return false;
  }

  /**
   * Ends the experiment with an outcome, after which nobody can take the lease or commit.
   *
   * @throws LeaseLost if another has taken the lease, or it was released or has ended already.
   */
  async end(outcome: Json): Promise<void> {
    checkOutcome(this.prefix, outcome);
    return this.exclusive(() => this.write((head) => ({ ...head, outcome })));
  }

  /**
   * Hands the lease back without an outcome, after all other work of it: nothing more can be written under it, and the head says that
   * nobody holds it (`isReleased`). It is there for a higher fence, as ever. Where it fails, the head may say so or not, and it can be tried
   * again.
   *
   * @throws LeaseLost if another has taken the lease, or it has ended.
   */
  async release(): Promise<void> {
    return this.exclusive(async () => {
      if (!this.#isReleasing) this.checkOpen();
      this.#isReleasing = true;
      this.#lose(this.#loss('released', 'was released'));
      if (isReleased(this.#head)) return;
      await this.#replace((head) => ({ ...head, claim: RELEASED }));
      await faultPoint('lease.released');
    });
  }

  /** Runs `work` after all other work of this lease is done. Work must not ask for another turn. */
  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /**
   * Replaces the head, under compare-and-set, by what `change` makes of it; called again with the holds that others have put on or taken
   * off meanwhile. To be called in {@link exclusive} work only.
   *
   * @throws LeaseLost if another has taken the lease, or it was released or has ended.
   */
  async write(change: (head: Head) => Pick<Head, 'checkpoints' | 'log' | 'outcome'>): Promise<void> {
    await this.#replace((head) => {
      this.checkOpen();
      const { checkpoints, log, outcome } = change(head);
      return { ...head, checkpoints, log, outcome };
    });
  }

  /** Reads the head anew. To be called in {@link exclusive} work only. @throws LeaseLost */
  async reread(): Promise<void> {
    this.#adopt(await readVersionedHead(this.#store, this.prefix));
  }

  /** @throws LeaseLost if it is known that nothing can be written under this lease any more. */
  checkOpen(): void {
    this.signal.throwIfAborted();
  }

  async #replace(change: (head: Head) => Head): Promise<void> {
    for (;;) {
      const head = change(this.#head);
      const isEnd = head.outcome !== null;
      if (isEnd) await faultPoint('outcome.decided');
      try {
        this.#see(head, await this.#store.compareAndSet(headKey(this.prefix), this.#version, encodeHead(head)));
        if (isEnd) await faultPoint('outcome.in-head');
        return;
      } catch (error) {
        if (!(error instanceof PreconditionFailed)) throw error;
      }
      const current = await readVersionedHead(this.#store, this.prefix);
      // Either this write has succeeded and its answer was lost, or an earlier one that was thought to have failed. Somebody may have put a
      // hold on it since. Where only a hold came before it, and it changes nothing, there is nothing left to write either.
      if (current !== undefined && sameButHolds(current.head, head)) {
        this.#see(current.head, current.version);
        return;
      }
      this.#adopt(current);
    }
  }

  /** Takes what the store has for the head of this lease. @throws LeaseLost where it is another's. */
  #adopt(current: { readonly head: Head; readonly version: string } | undefined): void {
    if (current?.head.claim !== this.#claim) {
      const loss = this.#lossTo(current?.head);
      this.#lose(loss);
      throw loss;
    }
    this.#see(current.head, current.version);
  }

  #see(head: Head, version: string): void {
    this.#head = head;
    this.#version = version;
    if (head.outcome !== null)
      this.#lose(this.#loss('ended', `has ended with outcome ${JSON.stringify(head.outcome)}`));
  }

  #lose(loss: LeaseLost): void {
    this.#over.abort(loss);
  }

  #lossTo(head: Head | undefined): LeaseLost {
    if (head === undefined) return this.#loss('taken', 'is gone');
    if (isReleased(head) && head.fence === this.fence) return this.#loss('released', 'was released');
    return this.#loss('taken', `was taken by fence ${head.fence} (${head.holder})`);
  }

  #loss(reason: LeaseLoss, what: string): LeaseLost {
    const remedy = reason === 'taken' ? 'stop this attempt, it cannot commit' : 'nothing more can be written under it';
    return new LeaseLost(
      `lease of ${this.prefix}: that of fence ${this.fence} (${this.holder}) ${what}; ${remedy}`,
      reason,
    );
  }
}

/** How a lease came to its end: another has it, or the head is gone; or its holder gave it back, or ended it with an outcome. */
export type LeaseLoss = 'taken' | 'released' | 'ended';

/** Nothing can be written under the lease any more. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';

  readonly reason: LeaseLoss;

  constructor(message: string, reason: LeaseLoss) {
    super(message);
    this.reason = reason;
  }
}

/** Why a lease was not given. */
export type LeaseRefusal = 'stale_fence' | 'already_ended';

/** A lease was not given. */
export class LeaseRefused extends Error {
  override readonly name = 'LeaseRefused';

  readonly reason: LeaseRefusal;
  /** The head as it was found. */
  readonly head: Head;

  constructor(message: string, reason: LeaseRefusal, head: Head) {
    super(message);
    this.reason = reason;
    this.head = head;
  }
}

/** An outcome of null would mean that nothing has ended. */
export function checkOutcome(prefix: string, outcome: Json): void {
  if (outcome === null)
    throw new RangeError(`lease of ${prefix}: outcome is null, which means not ended; give another value`);
}

function refuse(prefix: string, fence: number, head: Head): void {
  if (head.outcome !== null) {
    throw new LeaseRefused(
      `lease of ${prefix}: refused to fence ${fence}, as it has ended with outcome ${JSON.stringify(head.outcome)}`,
      'already_ended',
      head,
    );
  }
  if (head.fence >= fence) {
    throw new LeaseRefused(
      `lease of ${prefix}: refused to fence ${fence}, as fence ${head.fence} (${head.holder}) has taken it; ` +
        `take the fence that the record issued last`,
      'stale_fence',
      head,
    );
  }
}
