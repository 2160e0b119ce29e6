import { randomUUID } from 'node:crypto';

import { faultPoint } from '../fault-point/fault-point.js';
import type { Json } from '../state.js';
import { type ObjectStore, PreconditionFailed } from '../store/object-store.js';
import { encodeHead, type Head, headKey, readHead, readVersionedHead, sameButHolds } from './head.js';

/** Who takes a lease. */
export interface LeaseClaim {
  /** Issued by the record, higher for each attempt; 0 or more. */
  readonly fence: number;
  /** Name of the process, for people. */
  readonly holder: string;
  /**
   * Unique to this taking of the lease, the same each time that it is tried again: one that was taken, though no answer came, is known by it.
   * Default: it is not tried again.
   */
  readonly claim?: string;
}

/**
 * Takes the lease under a prefix, such as `experiments/<id>`, by raising the fence in its head. Whoever held it before can no
 * longer commit. A fence can be taken once only.
 *
 * @throws LeaseRefused if the head has this or a higher fence, or an outcome; HeadDamaged if it cannot be read.
 */
export async function acquireLease(store: ObjectStore, prefix: string, claimed: LeaseClaim): Promise<Lease> {
  const { fence, holder, claim = randomUUID() } = claimed;
  if (!Number.isSafeInteger(fence) || fence < 0) {
    throw new RangeError(`lease of ${prefix}: fence is ${fence}; give an integer of 0 or more, issued by the record`);
  }
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

/** The right to write under a prefix, until another takes it or it is ended. Get one from {@link acquireLease}. */
export class Lease {
  readonly prefix: string;
  readonly #store: ObjectStore;
  #head: Head;
  #version: string;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: ObjectStore, prefix: string, head: Head, version: string) {
    this.#store = store;
    this.prefix = prefix;
    this.#head = head;
    this.#version = version;
  }

  get fence(): number {
    return this.#head.fence;
  }

  get holder(): string {
    return this.#head.holder;
  }

  /** The head as this lease last wrote or verified it. */
  head(): Head {
    return this.#head;
  }

  /** Whether nobody has taken the lease since. Waits for no other work of this lease, and changes nothing that is known of the head. */
  async isHeld(): Promise<boolean> {
    return (await readHead(this.#store, this.prefix))?.claim === this.#head.claim;
  }

  /** Checks that nobody has taken the lease since. @throws LeaseLost */
  async verify(): Promise<void> {
    return this.exclusive(() => this.#refresh());
  }

  /**
   * Ends the experiment with an outcome, after which nobody can take the lease or commit.
   *
   * @throws LeaseLost if another has taken the lease, or it has ended already.
   */
  async end(outcome: Json): Promise<void> {
    checkOutcome(this.prefix, outcome);
    return this.exclusive(() => this.write((head) => ({ ...head, outcome })));
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
   * @throws LeaseLost if another has taken the lease, or it has ended.
   */
  async write(change: (head: Head) => Pick<Head, 'checkpoints' | 'log' | 'outcome'>): Promise<void> {
    for (;;) {
      this.checkOpen();
      const { checkpoints, log, outcome } = change(this.#head);
      const head: Head = { ...this.#head, checkpoints, log, outcome };
      if (outcome !== null) await faultPoint('outcome.decided');
      try {
        this.#version = await this.#store.compareAndSet(headKey(this.prefix), this.#version, encodeHead(head));
        this.#head = head;
        if (outcome !== null) await faultPoint('outcome.in-head');
        return;
      } catch (error) {
        if (!(error instanceof PreconditionFailed)) throw error;
        await this.#refresh();
        // Either this write has succeeded and its answer was lost, or an earlier one that was thought to have failed. Somebody may have put a
        // hold on it since. Where only a hold came before it, and it changes nothing, there is nothing left to write either.
        if (sameButHolds(this.#head, head)) return;
      }
    }
  }

  /** Reads the head anew. To be called in {@link exclusive} work only. @throws LeaseLost */
  async reread(): Promise<void> {
    await this.#refresh();
  }

  /** @throws LeaseLost if this lease has ended. */
  checkOpen(): void {
    if (this.#head.outcome === null) return;
    throw new LeaseLost(
      `lease of ${this.prefix}: fence ${this.fence} (${this.holder}) has ended with outcome ` +
        `${JSON.stringify(this.#head.outcome)}; nothing more can be written`,
    );
  }

  async #refresh(): Promise<void> {
    const current = await readVersionedHead(this.#store, this.prefix);
    if (current?.head.claim !== this.#head.claim) {
      const now =
        current === undefined ? 'is gone' : `was taken by fence ${current.head.fence} (${current.head.holder})`;
      throw new LeaseLost(
        `lease of ${this.prefix}: that of fence ${this.fence} (${this.holder}) ${now}; stop this attempt, it cannot commit`,
      );
    }
    this.#head = current.head;
    this.#version = current.version;
  }
}

/** The lease is held by another now, or has ended; this attempt must stop. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
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
