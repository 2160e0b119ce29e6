import { setTimeout as sleep } from 'node:timers/promises';
import type { HyperparameterSetting, JobTicket, WorkerEvent } from '@longrun/contracts';
import { type Lease, LeaseLost, type ObjectStore } from '@longrun/serialization';
import type { AbandonCause, Attempt, AttemptEnd, StopCause, Work } from './attempt.js';
import type { EventOutbox } from './event-outbox.js';
import type { Pressure } from './pressure.js';
import { ForeignStore, withStorageRetries } from './storage-retries.js';

export interface RunningAttemptOptions {
  readonly ticket: JobTicket;
  /** `experiments/<id>` or `datasets/<id>`. */
  readonly prefix: string;
  readonly store: ObjectStore;
  /** Claimed for this attempt. */
  readonly lease: Lease;
  readonly outbox: EventOutbox;
  readonly workerId: string;
  readonly scratchFolder: string;
  readonly report: (sentence: string) => void;
}

/** An attempt from its claim to its end: the worker asks it to end or drops it, its work sees that and obeys. */
export class RunningAttempt implements Attempt {
  readonly ticket: JobTicket;
  readonly prefix: string;
  readonly store: ObjectStore;
  readonly lease: Lease;
  readonly workerId: string;
  readonly scratchFolder: string;
  readonly outbox: EventOutbox;
  readonly #report: (sentence: string) => void;
  readonly #stop = new AbortController();
  readonly #abandon = new AbortController();
  #stopCause: StopCause | undefined;
  #abandonCause: AbandonCause | undefined;
  #verifying = false;
  /** Those that the record wants to be set, as it said last. */
  #settings: readonly HyperparameterSetting[] = [];
  #onSettings: ((settings: readonly HyperparameterSetting[]) => void) | undefined;
  #dropTimer: NodeJS.Timeout | undefined;

  constructor(options: RunningAttemptOptions) {
    this.ticket = options.ticket;
    this.prefix = options.prefix;
    this.store = options.store;
    this.lease = options.lease;
    this.workerId = options.workerId;
    this.scratchFolder = options.scratchFolder;
    this.outbox = options.outbox;
    this.#report = options.report;
    this.lease.signal.addEventListener('abort', () => {
      const loss: unknown = this.lease.signal.reason;
      if (!(loss instanceof LeaseLost) || loss.reason !== 'taken') return;
      if (!this.abandon.aborted) this.report(loss.message);
      this.drop('lease_lost');
    });
    this.outbox.refused.addEventListener('abort', () => {
      this.report('the record has written this attempt off and refuses its events');
      this.drop('lease_lost');
    });
  }

  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  get abandon(): AbortSignal {
    return this.#abandon.signal;
  }

  get pressure(): Pressure {
    return this.outbox.pressure;
  }

  get mustLeave(): boolean {
    return this.stop.aborted || this.abandon.aborted;
  }

  stopCause(): StopCause | undefined {
    return this.#stopCause;
  }

  abandonCause(): AbandonCause | undefined {
    return this.#abandonCause;
  }

  endOfStop(): AttemptEnd {
    if (this.#abandonCause === 'lease_lost') return { reason: 'lease_lost' };
    switch (this.#stopCause) {
      case 'cancelled':
        return { reason: 'cancelled' };
      case 'paused':
        return { reason: 'paused' };
      case 'preempted':
        return { reason: 'preempted', message: 'Preempted on request' };
      default:
        return { reason: 'preempted' };
    }
  }

  onSettings(listener: (settings: readonly HyperparameterSetting[]) => void): void {
    this.#onSettings = listener;
    if (this.#settings.length > 0) listener(this.#settings);
  }

  /** Hyperparameters are to be set. */
  set(settings: readonly HyperparameterSetting[]): void {
    this.#settings = settings;
    this.#onSettings?.(settings);
  }

  async readSpec(): Promise<unknown> {
    const key = `${this.prefix}/spec.json`;
    const what = `read ${key}`;
    const bytes = await withStorageRetries(async () => await this.store.get(key, { signal: this.stop }), {
      what,
      signal: this.stop,
    });
    if (bytes === undefined)
      throw new ForeignStore(
        `The object store ${this.store.url} has no ${key}, which the record writes first; is it the API's (LONGRUN_OBJECTS), and is its disk mounted?`,
      );
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  }

  send(event: WorkerEvent): void {
    this.outbox.send(event);
  }

  report(sentence: string): void {
    this.#report(sentence);
  }

  /** It is to end in good order. The first cause counts; of one that has `graceMs` it is dropped when these are over. */
  ask(cause: StopCause, graceMs?: number): void {
    if (this.#stopCause !== undefined) return;
    this.#stopCause = cause;
    this.#stop.abort();
    if (graceMs !== undefined) this.#dropTimer = setTimeout(() => this.drop('grace_over'), graceMs);
  }

  /** It has ended. */
  close(): void {
    clearTimeout(this.#dropTimer);
  }

  /** It is to end at once. */
  drop(cause: AbandonCause): void {
    this.#abandonCause ??= cause;
    this.#abandon.abort();
  }

  /** Asks whether the lease is held still: the attempt is dropped if it is not. A store that does not answer proves nothing. */
  async verify(): Promise<void> {
    // A store may take long to answer.
    if (this.#verifying) return;
    this.#verifying = true;
    try {
      await this.lease.isHeld();
    } catch (error) {
      this.report(`could not verify the lease: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.#verifying = false;
    }
  }

  /**
   * Hands the lease back when the attempt has ended without an outcome, so that the head says that nobody writes any more. Resolves
   * after `patienceMs` at the latest: that it is free, the record learns from the end of the attempt too, and a higher fence takes it either way.
   */
  async release(patienceMs: number): Promise<void> {
    const over = new AbortController();
    const released = this.lease.release().catch((error: unknown) => {
      if (!(error instanceof LeaseLost))
        this.report(`could not hand the lease back: ${error instanceof Error ? error.message : String(error)}`);
    });
    await Promise.race([released, sleep(patienceMs, undefined, { signal: over.signal }).catch(() => {})]);
    over.abort();
  }

  /** Sends a heartbeat now and then one each `intervalMs`, and verifies the lease with it, until the returned controller is aborted. */
  beat(work: Work, intervalMs: number): AbortController {
    const end = new AbortController();
    void (async () => {
      while (!end.signal.aborted) {
        this.send(work.heartbeat());
        // Not waited for: the record's patience is shorter than a commit may be.
        void this.verify();
        await sleep(intervalMs, undefined, { signal: end.signal }).catch(() => {});
      }
    })();
    return end;
  }
}
