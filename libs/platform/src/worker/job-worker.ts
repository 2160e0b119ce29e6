import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  assertNever,
  isFinalReason,
  type JobTicket,
  type Kind,
  retryPolicy,
  type WorkerCommand,
  type WorkerStatus,
} from '@longrun/contracts';
import {
  acquireLease,
  faultPoint,
  HeadDamaged,
  type Lease,
  LeaseRefused,
  type ObjectStore,
} from '@longrun/serialization';
import { checkAgainAfterMs } from '../configuration/limits.js';
import type { JobTaker } from '../queue/take-jobs.js';
import type { Attempt, AttemptEnd, Work } from './attempt.js';
import { discardScratch, endOfError, endOfUnfit, endOfWork, mayBeTheWorkers } from './attempt-end.js';
import type { EventOutbox } from './event-outbox.js';
import { Fitness, type WorkerCheck } from './fitness.js';
import { outcomeJson } from './outcome-json.js';
import type { Presence } from './presence.js';
import { RunningAttempt } from './running-attempt.js';
import { withStorageRetries } from './storage-retries.js';
import { describeWorker, type WorkerDescription } from './worker-description.js';
import type { WorkerLink } from './worker-link.js';

export interface JobWorkerOptions {
  readonly kind: Kind;
  readonly link: WorkerLink;
  readonly store: ObjectStore;
  /** What the worker says of itself. Default: what can be told of this machine. */
  readonly description?: WorkerDescription;
  /** Folder of this process; each attempt gets one inside. */
  readonly scratchFolder: string;
  /** Pause between two heartbeats, in ms. Each also verifies the lease. */
  readonly heartbeatMs: number;
  /** How long after `stop()` an attempt may take to end in good order, in ms. */
  readonly graceMs: number;
  /**
   * After an attempt that goes back to the queue: how long the next job waits at most for the record to put it there, so
   * that it comes first again, in ms. Default 60000.
   */
  readonly keepTurnMs?: number;
  /** Made at the start and after attempts whose failure may be the worker's. Default: it is always fit. */
  readonly check?: WorkerCheck;
  /** Pause before the check is made again in quarantine, in ms; doubled each time. Default 10000. */
  readonly checkAgainAfterMs?: number;
  /** Makes the work of one attempt. */
  readonly work: (attempt: Attempt) => Work;
  /** Told, in a sentence, what happens to jobs. */
  readonly report: (sentence: string) => void;
}

/**
 * The life of jobs in a worker: takes one at a time, claims its lease, keeps it alive with heartbeats, hears commands, and ends it: the
 * outcome into the head of the lease first, then the last event. What the job is, `work` says.
 */
export class JobWorker {
  readonly #options: JobWorkerOptions;
  readonly #running = new Map<string, RunningAttempt>();
  /** Events of ended attempts on their way to the record. */
  readonly #parting = new Map<EventOutbox, Promise<void>>();
  readonly #store: ObjectStore;
  readonly #presence: Presence;
  readonly #description: WorkerDescription;
  readonly #fitness: Fitness;
  /** What the record wants of it. */
  #wanted: 'ready' | 'draining' = 'ready';
  /** What it was turned to last. */
  #status: WorkerStatus = 'ready';
  readonly #stopping = new AbortController();
  #taker: JobTaker | undefined;

  constructor(options: JobWorkerOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#presence = options.link.openPresence();
    this.#description = options.description ?? describeWorker();
    this.#fitness = new Fitness({
      check: options.check ?? (async () => {}),
      checkAgainAfterMs: options.checkAgainAfterMs ?? checkAgainAfterMs.byDefault,
      onChange: (fault) => {
        if (fault !== null) this.#options.report(`quarantined: ${fault}`);
        this.#turn();
      },
    });
  }

  /** Resolves when commands are heard and, unless it is unfit, jobs are taken, which Redis has to be there for. */
  async start(): Promise<void> {
    const { link, kind } = this.#options;
    await Promise.all([link.listenCommands((command) => this.#obey(command)), this.#fitness.examine()]);
    const { engines } = this.#description;
    this.#taker = link.takeJobs(kind, async (ticket, context) => await this.#take(ticket, context.lockLost), {
      engines,
    });
    if (this.#status !== 'ready') await this.#taker.pause();
    await this.#taker.ready;
    void this.#sayPresence();
  }

  /** Takes no further job, ends the running one in good order within the grace, and resolves when all is said. */
  async stop(): Promise<void> {
    const { graceMs } = this.#options;
    this.#stopping.abort();
    this.#fitness.stop();
    for (const running of this.#running.values()) running.ask('shutdown');
    const graceOver = setTimeout(() => {
      for (const running of this.#running.values()) running.drop('grace_over');
    }, graceMs);
    await this.#taker?.close();
    clearTimeout(graceOver);
    await Promise.race([Promise.all(this.#parting.values()), sleep(PARTING_AT_STOP_MS, undefined, { ref: false })]);
    for (const outbox of this.#parting.keys()) void outbox.close();
    await this.#presence.end();
  }

  #obey(command: WorkerCommand): void {
    const { kind, link, graceMs } = this.#options;
    switch (command.type) {
      case 'cancel':
        if (command.kind === kind) this.#running.get(keyOf(command))?.ask('cancelled');
        return;
      case 'pause':
        if (command.kind === kind) this.#running.get(keyOf(command))?.ask('paused');
        return;
      case 'preempt':
        if (command.kind === kind) this.#running.get(keyOf(command))?.ask('preempted', graceMs);
        return;
      case 'set':
        if (command.kind === kind) this.#running.get(keyOf(command))?.set(command.settings);
        return;
      case 'drain':
      case 'release':
        if (command.workerId !== link.workerId) return;
        // Said of an earlier quarantine: the record has not heard of this one yet.
        if (command.type === 'release' && (command.quarantines ?? Infinity) < this.#fitness.quarantines) return;
        this.#wanted = command.type === 'drain' ? 'draining' : 'ready';
        if (command.type === 'release') this.#fitness.release();
        this.#turn();
        return;
      default:
        assertNever(command, 'worker command');
    }
  }

  /** Turns to what the record wants, or to quarantine. The same command comes again until the record has seen that it was obeyed. */
  #turn(): void {
    const status = this.#fitness.fault === null ? this.#wanted : 'quarantined';
    if (this.#status === status || this.#stopping.signal.aborted) return;
    this.#status = status;
    if (status === 'ready') this.#options.report('released: taking jobs');
    if (status === 'draining') this.#options.report('draining: taking no more jobs');
    const turned = status === 'ready' ? this.#taker?.resume() : this.#taker?.pause();
    turned?.catch((error: unknown) => this.#options.report(`could not turn to ${status}: ${String(error)}`));
    this.#say();
  }

  async #sayPresence(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#say();
      await sleep(this.#options.heartbeatMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
    }
  }

  #say(): void {
    const { kind } = this.#options;
    const attempts = [...this.#running.values()].map(({ ticket }) => ({ id: ticket.id, fence: ticket.fence }));
    const { fault, quarantines } = this.#fitness;
    const state = { status: this.#status, ...(fault !== null && { statusReason: fault }), quarantines };
    this.#presence.say({ kind, ...this.#description, slots: 1, ...state, attempts });
  }

  async #take(ticket: JobTicket, lockLost: AbortSignal): Promise<void> {
    const { kind, link, report } = this.#options;
    const store = this.#store;
    const prefix = `${kind}s/${ticket.id}`;
    await faultPoint('take.taken');
    let lease: Lease;
    try {
      const claim = { fence: ticket.fence, holder: link.workerId, claim: randomUUID() };
      lease = await withStorageRetries(() => acquireLease(store, prefix, claim), { what: `claim ${prefix}` });
    } catch (error) {
      if (error instanceof LeaseRefused) {
        report(`${ticket.id}: dropped a job that is out of date: ${error.message}`);
        return;
      }
      // The record sees it, too.
      if (error instanceof HeadDamaged) {
        report(`${ticket.id}: dropped a job that nobody can claim: ${error.message}`);
        return;
      }
      await this.#fitness.examine();
      throw error;
    }
    await faultPoint('take.claimed');
    report(`${ticket.id}: claimed under fence ${ticket.fence}`);
    const attempt = new RunningAttempt({
      ticket,
      prefix,
      store,
      lease,
      outbox: link.openOutbox(kind, ticket.id, ticket.fence),
      workerId: link.workerId,
      scratchFolder: join(this.#options.scratchFolder, keyOf(ticket)),
      report: (sentence) => report(`${ticket.id}: ${sentence}`),
    });
    this.#running.set(keyOf(ticket), attempt);
    // Should this process end now, the record is to know what it had.
    this.#say();
    if (this.#stopping.signal.aborted) attempt.ask('shutdown');
    lockLost.addEventListener('abort', () => void attempt.verify());
    let end: AttemptEnd | undefined;
    let parting: Promise<void>;
    try {
      end = await this.#run(attempt);
    } finally {
      this.#running.delete(keyOf(ticket));
      attempt.close();
      await discardScratch(attempt);
      parting = this.#part(attempt.outbox);
    }
    if (end !== undefined && retryPolicy[end.reason].requeue) await this.#keepTurn(parting);
  }

  /** Resolves with the end of which the record was told; with nothing when there was none to tell. */
  async #run(attempt: RunningAttempt): Promise<AttemptEnd | undefined> {
    const { lease, outbox } = attempt;
    const work = this.#options.work(attempt);
    const heart = attempt.beat(work, this.#options.heartbeatMs);
    let end: AttemptEnd;
    try {
      end = await this.#finish(lease, work, await endOfWork(work, attempt));
      end = await this.#blame(attempt, end);
    } finally {
      heart.abort();
    }
    const { reason, message } = end;
    if (reason === 'lease_lost' || attempt.abandonCause() === 'lease_lost') {
      attempt.report(`lost its lease and dropped everything not committed: ${message ?? 'another worker holds it'}`);
      return undefined;
    }
    outbox.send(work.endEvent(end));
    const released = lease.head().outcome === null ? attempt.release(LAST_WORDS_MS) : undefined;
    await Promise.all([outbox.flush('sent', LAST_WORDS_MS), released]);
    await faultPoint('outcome.sent');
    const why = message === undefined ? '' : `: ${message}`;
    attempt.report(`ended under fence ${attempt.ticket.fence}: ${reason}${why}`);
    return end;
  }

  /**
   * Finds out whose fault a failure is, once what the attempt left behind is gone: the worker's, when it fails its own check, else the
   * experiment's.
   */
  async #blame(attempt: RunningAttempt, end: AttemptEnd): Promise<AttemptEnd> {
    if (end.reason === 'succeeded') this.#fitness.prove();
    if (!mayBeTheWorkers(end.reason) || attempt.mustLeave) return end;
    await discardScratch(attempt);
    const fault = await this.#fitness.examine();
    return fault === null ? end : endOfUnfit(fault, end);
  }

  /**
   * What goes back to the queue is to keep its turn: the next job is taken only when the record has put it there. A record
   * that is away for long does not keep the worker from work, nor one that stops from stopping.
   */
  async #keepTurn(parting: Promise<void>): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#stopping.signal]);
    await Promise.race([parting, sleep(this.#options.keepTurnMs ?? 60_000, undefined, { signal }).catch(() => {})]);
    over.abort();
  }

  /** Writes a final outcome before anything is said of it. */
  async #finish(lease: Lease, work: Work, end: AttemptEnd): Promise<AttemptEnd> {
    if (!isFinalReason(end.reason) || lease.head().outcome !== null) return end;
    try {
      await withStorageRetries(async () => await lease.end(outcomeJson(work.outcome(end))), {
        what: `end ${lease.prefix} as ${end.reason}`,
      });
      return end;
    } catch (error) {
      return endOfError(error);
    }
  }

  /** Resolves when the record has taken the last events, or will not. Who stops waits for it, for a while. */
  #part(outbox: EventOutbox): Promise<void> {
    const parting = outbox
      .flush('acknowledged', PARTING_MS)
      .then(async () => await outbox.close())
      .finally(() => this.#parting.delete(outbox));
    this.#parting.set(outbox, parting);
    // A record that is away for long is told of the last ends only; what came of the earlier ones, it finds in the store.
    let keptBytes = 0;
    for (const [index, kept] of [...this.#parting.keys()].toReversed().entries()) {
      keptBytes += kept.pendingBytes;
      if (index >= MAX_PARTING || (index > 0 && keptBytes > MAX_PARTING_BYTES)) void kept.close();
    }
    return parting;
  }
}

/** How long the last event may take into Redis, and the lease to be handed back, before the next job is taken. */
const LAST_WORDS_MS = 5_000;
/** As long as the record's acknowledgements are kept in Redis. */
const PARTING_MS = 7 * 24 * 3_600_000;
/** Ended attempts whose events are kept for a record that is away, and the memory that these may fill. */
const MAX_PARTING = 64;
const MAX_PARTING_BYTES = 64 * 2 ** 20;
const PARTING_AT_STOP_MS = 2_000;

function keyOf(ticket: { readonly id: string; readonly fence: number }): string {
  return `${ticket.id}.${ticket.fence}`;
}
