import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFinalReason, type JobTicket, type Kind } from '@longrun/contracts';
import { acquireLease, type Lease, LeaseLost, LeaseRefused, type ObjectStore } from '@longrun/serialization';
import type { JobTaker } from '../queue/take-jobs.js';
import type { AbandonCause, Attempt, AttemptEnd, StopCause, Work } from './attempt.js';
import type { EventOutbox } from './event-outbox.js';
import { outcomeJson } from './outcome-json.js';
import { StorageFailed, withStorageRetries } from './storage-retries.js';
import type { WorkerLink } from './worker-link.js';

export interface JobWorkerOptions {
  readonly kind: Kind;
  readonly link: WorkerLink;
  readonly store: ObjectStore;
  /** Folder of this process; each attempt gets one inside. */
  readonly scratchFolder: string;
  /** Pause between two heartbeats, in ms. Each also verifies the lease. */
  readonly heartbeatMs: number;
  /** How long after `stop()` an attempt may take to end in good order, in ms. */
  readonly graceMs: number;
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
  readonly #parting = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #taker: JobTaker | undefined;

  constructor(options: JobWorkerOptions) {
    this.#options = options;
  }

  /** Resolves when commands are heard and jobs are taken, which Redis has to be there for. */
  async start(): Promise<void> {
    const { link, kind } = this.#options;
    await link.listenCommands((command) => {
      if (command.type === 'cancel' && command.kind === kind) this.#running.get(keyOf(command))?.stop('cancelled');
    });
    this.#taker = link.takeJobs(kind, async (ticket, context) => await this.#take(ticket, context.lockLost));
    await this.#taker.ready;
  }

  /** Takes no further job, ends the running one in good order within the grace, and resolves when all is said. */
  async stop(): Promise<void> {
    const { graceMs } = this.#options;
    this.#stopping.abort();
    for (const running of this.#running.values()) running.stop('shutdown');
    const graceOver = setTimeout(() => {
      for (const running of this.#running.values()) running.abandon('grace_over');
    }, graceMs);
    await this.#taker?.close();
    clearTimeout(graceOver);
    await Promise.race([Promise.all(this.#parting), sleep(partingAtStopMs, undefined, { ref: false })]);
  }

  async #take(ticket: JobTicket, lockLost: AbortSignal): Promise<void> {
    const { kind, link, store, report } = this.#options;
    const prefix = `${kind}s/${ticket.id}`;
    let lease: Lease;
    try {
      const claim = { fence: ticket.fence, holder: link.workerId };
      lease = await withStorageRetries(() => acquireLease(store, prefix, claim), { what: `claim ${prefix}` });
    } catch (error) {
      if (!(error instanceof LeaseRefused)) throw error;
      report(`${ticket.id}: dropped a job that is out of date: ${error.message}`);
      return;
    }
    report(`${ticket.id}: claimed under fence ${ticket.fence}`);
    const outbox = link.openOutbox(kind, ticket.id, ticket.fence);
    const running = new RunningAttempt(lease, outbox, (sentence) => report(`${ticket.id}: ${sentence}`));
    this.#running.set(keyOf(ticket), running);
    if (this.#stopping.signal.aborted) running.stop('shutdown');
    lockLost.addEventListener('abort', () => void running.verify());
    const scratchFolder = join(this.#options.scratchFolder, keyOf(ticket));
    try {
      await mkdir(scratchFolder, { recursive: true });
      await this.#run(ticket, prefix, running, scratchFolder);
    } finally {
      this.#running.delete(keyOf(ticket));
      await rm(scratchFolder, { recursive: true, force: true });
      this.#part(outbox);
    }
  }

  async #run(ticket: JobTicket, prefix: string, running: RunningAttempt, scratchFolder: string): Promise<void> {
    const { store, link, report } = this.#options;
    const { lease, outbox } = running;
    const work = this.#options.work({
      ticket,
      prefix,
      store,
      lease,
      workerId: link.workerId,
      scratchFolder,
      stop: running.stopSignal,
      abandon: running.abandonSignal,
      stopCause: () => running.stopCause,
      abandonCause: () => running.abandonCause,
      readSpec: async () => await readJson(store, `${prefix}/spec.json`),
      report: running.report,
      send: (event) => outbox.send(event),
      flushEvents: async () => void (await outbox.flush('sent', flushBeforeCommitMs)),
    });
    const heart = running.beat(work, this.#options.heartbeatMs);
    try {
      const end = await this.#finish(lease, work, storable(await endOf(work)));
      if (end.reason === 'lease_lost' || running.abandonCause === 'lease_lost') {
        report(
          `${ticket.id}: lost its lease and dropped everything not committed: ${end.message ?? 'another worker holds it'}`,
        );
        return;
      }
      outbox.send(work.endEvent(end));
      await outbox.flush('sent', flushAtEndMs);
      report(
        `${ticket.id}: ended under fence ${ticket.fence}: ${end.reason}${end.message === undefined ? '' : `: ${end.message}`}`,
      );
    } finally {
      heart.abort();
    }
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

  /** The next job does not wait for the record to take the last events of this one, but the process does, for a while. */
  #part(outbox: EventOutbox): void {
    const parting = outbox
      .flush('acknowledged', partingMs)
      .then(async () => await outbox.close())
      .finally(() => this.#parting.delete(parting));
    this.#parting.add(parting);
  }
}

/** How long events may take into Redis before a commit goes ahead without them. */
const flushBeforeCommitMs = 1_000;
/** How long the last event may take into Redis before the next job is taken. */
const flushAtEndMs = 5_000;
const partingMs = 60_000;
const partingAtStopMs = 2_000;

class RunningAttempt {
  readonly #stop = new AbortController();
  readonly #abandon = new AbortController();
  stopCause: StopCause | undefined;
  abandonCause: AbandonCause | undefined;

  constructor(
    readonly lease: Lease,
    readonly outbox: EventOutbox,
    readonly report: (sentence: string) => void,
  ) {
    outbox.refused.addEventListener('abort', () => {
      report('the record has written this attempt off and refuses its events');
      this.abandon('lease_lost');
    });
  }

  get stopSignal(): AbortSignal {
    return this.#stop.signal;
  }

  get abandonSignal(): AbortSignal {
    return this.#abandon.signal;
  }

  stop(cause: StopCause): void {
    this.stopCause ??= cause;
    this.#stop.abort();
  }

  abandon(cause: AbandonCause): void {
    this.abandonCause ??= cause;
    this.#abandon.abort();
  }

  /** Abandons the attempt if the lease is held by another now. A store that does not answer proves nothing. */
  async verify(): Promise<void> {
    try {
      await this.lease.verify();
    } catch (error) {
      if (error instanceof LeaseLost) {
        if (!this.abandonSignal.aborted) this.report(error.message);
        this.abandon('lease_lost');
      } else {
        this.report(`could not verify the lease: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  /** Sends a heartbeat now and then one each `intervalMs`, and verifies the lease with it, until the returned controller is aborted. */
  beat(work: Work, intervalMs: number): AbortController {
    const end = new AbortController();
    let verifying = false;
    const verify = async (): Promise<void> => {
      verifying = true;
      await this.verify();
      verifying = false;
    };
    void (async () => {
      while (!end.signal.aborted) {
        this.outbox.send(work.heartbeat());
        // Not waited for: a lease verifies only between commits, and a commit can take longer than the record's patience.
        if (!verifying) void verify();
        await sleep(intervalMs, undefined, { signal: end.signal }).catch(() => {});
      }
    })();
    return end;
  }
}

async function readJson(store: ObjectStore, key: string): Promise<unknown> {
  const bytes = await withStorageRetries(async () => await store.get(key), { what: `read ${key}` });
  if (bytes === undefined)
    throw new Error(`The object store ${store.url} has no ${key}, which the record writes first`);
  return JSON.parse(Buffer.from(bytes).toString('utf8'));
}

async function endOf(work: Work): Promise<AttemptEnd> {
  try {
    return await work.run();
  } catch (error) {
    return endOfError(error);
  }
}

function endOfError(error: unknown): AttemptEnd {
  if (error instanceof LeaseLost) return { reason: 'lease_lost', message: error.message };
  if (error instanceof StorageFailed) return { reason: 'storage_error', message: error.message };
  return { reason: 'internal_error', message: describe(error) };
}

/** A message can hold what a program threw: whatever its length, and characters that PostgreSQL does not take. */
function storable(end: AttemptEnd): AttemptEnd {
  if (end.message === undefined) return end;
  const text =
    end.message.length <= longestMessage ? end.message : `${end.message.slice(0, longestMessage)} [cut here]`;
  const message = Buffer.from(text.replaceAll('\0', '\uFFFD'), 'utf8').toString('utf8');
  return { ...end, message };
}

const longestMessage = 16_384;

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function keyOf(ticket: { readonly id: string; readonly fence: number }): string {
  return `${ticket.id}.${ticket.fence}`;
}
