import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import {
  type DatasetIdentity,
  type DatasetResult,
  type ExperimentResult,
  type JobTicket,
  type Kind,
  type ReasonCode,
  ResolvedDataset,
  ResolvedExperiment,
  type WorkerCommand,
} from '@longrun/contracts';
import {
  acquireLease,
  CheckpointStore,
  encodeLogEntry,
  type Lease,
  LeaseRefused,
  type ObjectStore,
} from '@longrun/serialization';

import { leasePrefix } from '../src/life/outcome.js';
import type { EventOutbox, JobTaker, WorkerLink } from '../src/index.js';

/** A worker over the real link, lease and checkpoints, in which the test plays the trainer. */
export class ScriptedWorker {
  /** Tickets whose lease was refused. */
  readonly refused: JobTicket[] = [];
  readonly commands: WorkerCommand[] = [];
  readonly link: WorkerLink;
  readonly store: ObjectStore;
  readonly kind: Kind;
  readonly heartbeatMs: number;
  readonly #taker: JobTaker;
  readonly #attempts: ScriptedAttempt[] = [];
  readonly #waiting: ((attempt: ScriptedAttempt) => void)[] = [];
  readonly #all: ScriptedAttempt[] = [];
  readonly #listening: Promise<void>;

  constructor(link: WorkerLink, store: ObjectStore, kind: Kind, heartbeatMs: number) {
    this.link = link;
    this.store = store;
    this.kind = kind;
    this.heartbeatMs = heartbeatMs;
    this.#listening = link.listenCommands((command) => this.commands.push(command));
    this.#taker = link.takeJobs(kind, async (ticket, { lockLost }) => {
      let lease: Lease;
      try {
        const claim = { fence: ticket.fence, holder: link.workerId };
        lease = await acquireLease(store, leasePrefix(kind, ticket.id), claim);
      } catch (error) {
        if (!(error instanceof LeaseRefused)) throw error;
        this.refused.push(ticket);
        return;
      }
      const attempt = new ScriptedAttempt(this, ticket, lease, lockLost);
      this.#all.push(attempt);
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#attempts.push(attempt);
      else waiting(attempt);
      await attempt.over;
    });
  }

  /** The next job that it claims. */
  async next(): Promise<ScriptedAttempt> {
    await this.#listening;
    return this.#attempts.shift() ?? (await new Promise((resolve) => this.#waiting.push(resolve)));
  }

  /** How many jobs it has claimed. */
  get claims(): number {
    return this.#all.length;
  }

  async close(): Promise<void> {
    for (const attempt of this.#all) attempt.drop();
    // With a Redis that is away nothing of this comes to an end.
    await Promise.race([this.#listening.then(() => this.#taker.close()), pause(2_000, undefined, { ref: false })]);
    this.link.close();
  }
}

/** One attempt, in the hands of the test. It heartbeats by itself until it ends or is frozen. */
export class ScriptedAttempt {
  readonly outbox: EventOutbox;
  /** Settled when the worker is done with the job. */
  readonly over: Promise<void>;
  readonly worker: ScriptedWorker;
  readonly ticket: JobTicket;
  readonly lease: Lease;
  readonly lockLost: AbortSignal;
  #finish: () => void = () => undefined;
  #step = 0;
  #startStep = 0;
  readonly #rows: { step: number; row: Record<string, number> }[] = [];
  readonly #checkpoints: CheckpointStore;
  #heart: NodeJS.Timeout | undefined;

  constructor(worker: ScriptedWorker, ticket: JobTicket, lease: Lease, lockLost: AbortSignal) {
    this.worker = worker;
    this.ticket = ticket;
    this.lease = lease;
    this.lockLost = lockLost;
    this.#checkpoints = new CheckpointStore(worker.store, lease.prefix);
    this.outbox = worker.link.openOutbox(worker.kind, ticket.id, ticket.fence);
    this.over = new Promise((resolve) => (this.#finish = resolve));
    this.thaw();
  }

  get step(): number {
    return this.#step;
  }

  /** What the scheduler wrote for it. */
  async specification(): Promise<ResolvedExperiment> {
    const bytes = await this.worker.store.get(`experiments/${this.ticket.id}/spec.json`);
    return ResolvedExperiment.parse(JSON.parse(Buffer.from(bytes ?? []).toString()));
  }

  /** Nothing is heard of it any more. */
  freeze(): void {
    clearInterval(this.#heart);
  }

  /** It wakes up, not knowing that time has passed. */
  thaw(): void {
    const beat = (): void => {
      this.outbox.send(
        this.worker.kind === 'experiment' ? { type: 'heartbeat', step: this.#step } : { type: 'dataset_heartbeat' },
      );
    };
    beat();
    this.#heart = setInterval(beat, this.worker.heartbeatMs);
  }

  /** The trainer is up, at the step of the newest checkpoint, with so many threads. */
  start(threads = 2): this {
    this.#step = this.#startStep = this.lease.head().checkpoints[0]?.step ?? 0;
    this.outbox.send({
      type: 'attempt_started',
      workerId: this.worker.link.workerId,
      startStep: this.#startStep,
      engine: 'reference',
      environment: { threads },
      rejectedCheckpoints: [],
    });
    return this;
  }

  /** Trains up to and with a step, a log row for each. `silently`: nobody hears of the rows. */
  train(to: number, options: { silently?: boolean; row?: (step: number) => Record<string, number> } = {}): this {
    while (this.#step < to) {
      this.#step += 1;
      const row = options.row?.(this.#step) ?? { cost: 1 / this.#step, fence: this.ticket.fence };
      const entry = { step: this.#step, row };
      this.#rows.push(entry);
      if (options.silently !== true) this.outbox.send({ type: 'log_row', ...entry });
    }
    return this;
  }

  /** Commits a checkpoint of the current step, with the rows since the last one, and these files by name besides. */
  async commit(contents: Readonly<Record<string, string | Uint8Array>> = {}): Promise<this> {
    const folder = await mkdtemp(join(tmpdir(), 'longrun-snapshot-'));
    const all = { 'state.json': JSON.stringify({ version: 1, step: this.#step }), ...contents };
    for (const [name, content] of Object.entries(all)) await writeFile(join(folder, name), content);
    const files = Object.keys(all).map((name) => ({ name, path: join(folder, name) }));
    const log = join(folder, 'log.ndjson');
    await writeFile(log, this.#rows.splice(0).map(encodeLogEntry).join(''));
    const snapshot = { step: this.#step, files, environment: {}, log: [{ path: log }] };
    try {
      await this.#checkpoints.commit(this.lease, snapshot);
    } finally {
      // What it has put under a lease that is lost is gone then, too.
      await this.#checkpoints.settled();
      await rm(folder, { recursive: true });
    }
    this.outbox.send({ type: 'checkpoint_committed', step: this.#step, sizeBytes: 25 });
    return this;
  }

  /** Keeps the rows since the last checkpoint in the store, as one does whose attempt ends. */
  async leaveLog(): Promise<this> {
    const folder = await mkdtemp(join(tmpdir(), 'longrun-log-'));
    const path = join(folder, 'log.ndjson');
    await writeFile(path, this.#rows.splice(0).map(encodeLogEntry).join(''));
    await this.#checkpoints.keepLog(this.lease, [{ path }]);
    await rm(folder, { recursive: true });
    return this;
  }

  /** Writes a final outcome into the head, and dies before a word. */
  async endSilently(reason: ReasonCode): Promise<void> {
    await this.lease.end({ reason, step: this.#step });
    this.drop();
  }

  /** Writes success into the head, then says so. `silently`: dies in between. */
  async succeed(options: { silently?: boolean; result?: ExperimentResult } = {}): Promise<void> {
    const { result = resultAt(this.#step) } = options;
    await this.lease.end({ reason: 'succeeded', step: this.#step, result: { ...result } });
    if (options.silently === true) this.drop();
    else await this.end('succeeded', { result });
  }

  /** Ends the attempt for a reason that the record decides on. */
  async end(reason: ReasonCode, more: { message?: string; result?: ExperimentResult } = {}): Promise<void> {
    const stepsRun = this.#step - this.#startStep;
    this.outbox.send({
      type: 'attempt_ended',
      reason,
      step: this.#step,
      stepsRun,
      peakMemoryBytes: 1_000_000,
      ...more,
    });
    await this.outbox.flush('acknowledged', 50_000);
    this.drop();
  }

  /** Publishes a converted file as a dataset's result, as one of raw files with this identity. */
  async publish(bytes: Uint8Array, identity: DatasetIdentity | null = null): Promise<void> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const fileKey = `datasets/files/${this.ticket.id}/${sha256}.hdf5`;
    const result: DatasetResult = {
      fileKey,
      sha256,
      sizeBytes: bytes.byteLength,
      description: {
        sources: [{ name: 'features', dtype: 'uint8', shape: [10, 4], ragged: false, axisLabels: null }],
        splits: { train: 8, test: 2 },
        attributes: {},
      },
      identity,
      sameAs: null,
    };
    await this.worker.store.put(fileKey, bytes, { ifAbsent: true });
    await this.#endDataset(result);
  }

  /** Ends a conversion for which nothing was to be converted: the raw files are those of its predecessor. */
  async findSame(): Promise<void> {
    const bytes = await this.worker.store.get(`datasets/${this.ticket.id}/spec.json`);
    const { predecessor } = ResolvedDataset.parse(JSON.parse(Buffer.from(bytes ?? []).toString()));
    if (predecessor === null) throw new Error(`${this.ticket.id} has no predecessor`);
    await this.#endDataset({ ...predecessor.result, sameAs: predecessor.id });
  }

  async #endDataset(result: DatasetResult): Promise<void> {
    this.outbox.send({ type: 'dataset_started', workerId: this.worker.link.workerId });
    await this.lease.end(JSON.parse(JSON.stringify({ reason: 'succeeded', result })) as never);
    this.outbox.send({ type: 'dataset_ended', reason: 'succeeded', result, peakMemoryBytes: 1_000_000 });
    await this.outbox.flush('acknowledged', 50_000);
    this.drop();
  }

  /** Ends a conversion that failed: the outcome first, if it is final. */
  async failDataset(reason: ReasonCode, message: string, final: boolean): Promise<void> {
    if (final) await this.lease.end({ reason, message });
    this.outbox.send({ type: 'dataset_ended', reason, message, peakMemoryBytes: 1_000_000 });
    await this.outbox.flush('acknowledged', 50_000);
    this.drop();
  }

  /** Stops everything, as if its process had gone. */
  drop(): void {
    this.freeze();
    void this.outbox.close();
    this.#finish();
  }
}

/** The result of a run that ended at a step. */
export function resultAt(step: number): ExperimentResult {
  return {
    parametersSha256: createHash('sha256').update(`parameters at ${step}`).digest('hex'),
    lastRow: { cost: 1 / step },
  };
}
