import {
  assertNever,
  type DatasetResult,
  type ExperimentResult,
  isTerminal,
  type LiveEvent,
  type LogRow,
  type ReasonCode,
  type WorkerEvent,
} from '@longrun/contracts';

import type { AttemptRow, Ending, LifeRow } from '../record/tables.js';
import type { Outcome } from './outcome.js';
import { afterAttempt, checkMove, experimentStatus, type Phase } from './transitions.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What is known of an attempt at its end. */
export interface AttemptEnd {
  readonly reason: ReasonCode;
  readonly message?: string | undefined;
  readonly result?: ExperimentResult | DatasetResult | undefined;
  readonly step?: number | undefined;
  readonly stepsRun?: number | undefined;
  readonly peakMemoryBytes?: number | undefined;
}

/** What to do with an event: take it, or which is its flaw. */
export type Verdict = 'taken' | 'duplicate' | 'gap' | 'refused';

/**
 * One experiment or dataset, locked, inside one transaction: every change of where it stands is a method here.
 * It changes rows in memory and collects what is to be written; `Lives` loads and saves it.
 */
export class Life {
  readonly row: Mutable<LifeRow>;
  /** Those that were loaded, by epoch; that of `row.epoch` always, if there is one. */
  readonly attempts: ReadonlyMap<number, Mutable<AttemptRow>>;

  /** Stored live events of this transaction. */
  readonly events: StoredEvent[] = [];
  /** Progress for those who follow now. */
  readonly ephemeral: LiveEvent[] = [];
  readonly logRows = new Map<number, LogRow>();
  readonly checkpoints: { epoch: number; step: number; sizeBytes: number; at: Date }[] = [];
  /** Log rows beyond this step are void. */
  truncateAfter: number | null = null;
  /** It stands elsewhere than before: others may have to act. */
  moved = false;
  /** There is something to save. */
  changed = false;
  readonly changedAttempts = new Set<AttemptRow>();

  constructor(row: LifeRow, attempts: readonly AttemptRow[]) {
    this.row = { ...row };
    this.attempts = new Map(attempts.map((attempt) => [attempt.epoch, { ...attempt }]));
  }

  /** Says to followers that it was submitted. */
  submitted(at: Date): void {
    this.#emitStatus(at);
    this.#touch();
  }

  /** Issues the next epoch: a job for it may be put in the queue, at this rank. */
  enqueue(rank: number, at: Date): number {
    if (this.row.phase !== 'queued' || this.row.enqueued) throw new Error(`${this.row.id} has a job already`);
    this.row.epoch += 1;
    this.row.enqueued = true;
    this.row.queueRank = rank;
    this.row.notBefore = null;
    const attempt = newAttempt(this.row.id, this.row.epoch, at);
    (this.attempts as Map<number, AttemptRow>).set(attempt.epoch, attempt);
    this.#touch(attempt);
    return this.row.epoch;
  }

  /** Its place among the jobs in the queue has another number. */
  rank(rank: number): void {
    this.row.queueRank = rank;
    this.#touch();
  }

  /** Whether an event of an attempt is taken. Numbers are taken without gaps; written-off attempts are refused. */
  judge(epoch: number, seq: number): Verdict {
    const attempt = this.attempts.get(epoch);
    if (attempt === undefined) return 'refused';
    if (seq > 0 && seq <= attempt.lastSeq) return 'duplicate';
    if (epoch !== this.row.epoch || attempt.status === 'ended') return 'refused';
    return seq > attempt.lastSeq + 1 ? 'gap' : 'taken';
  }

  /** Notes that an event with this number was taken, whatever it said. */
  took(epoch: number, seq: number): void {
    const attempt = this.attempts.get(epoch);
    if (attempt === undefined || seq === 0) return;
    attempt.lastSeq = seq;
    this.#touch(attempt);
  }

  /** Applies an event of the current attempt. */
  apply(event: WorkerEvent, at: Date): void {
    this.claimed(at);
    const attempt = this.#current();
    switch (event.type) {
      case 'attempt_started': {
        attempt.workerId = event.workerId;
        attempt.startStep = event.startStep;
        attempt.engine = event.engine;
        attempt.environment = event.environment;
        attempt.restoredFrom = event.restoredFrom ?? null;
        attempt.rejectedCheckpoints = event.rejectedCheckpoints;
        this.#voidRowsAfter(event.startStep);
        this.#advance(attempt, event.startStep);
        this.#emit('attempt_started', at, {
          epoch: attempt.epoch,
          workerId: event.workerId,
          startStep: event.startStep,
          engine: event.engine,
          restoredFrom: event.restoredFrom ?? null,
          environmentChanged: event.environmentChanged ?? [],
          rejectedCheckpoints: event.rejectedCheckpoints,
        });
        return;
      }
      case 'dataset_started':
        attempt.workerId = event.workerId;
        this.#touch(attempt);
        return;
      case 'heartbeat':
        this.#advance(attempt, event.step);
        return;
      case 'dataset_heartbeat':
        return;
      case 'progress': {
        const { type: _, ...progress } = event;
        this.row.progress = progress;
        this.#advance(attempt, event.step);
        this.ephemeral.push({ type: 'progress', id: null, at: at.toISOString(), data: progress });
        this.#touch();
        return;
      }
      case 'dataset_progress': {
        const { type: _, ...progress } = event;
        this.row.progress = progress;
        this.#touch();
        return;
      }
      case 'log_row':
        this.logRows.set(event.step, { ...this.logRows.get(event.step), ...event.row });
        this.#advance(attempt, event.step);
        this.#emit('log_row', at, { step: event.step, row: event.row });
        return;
      case 'line':
        this.#emit('line', at, { stream: event.stream, text: event.text });
        return;
      case 'checkpoint_committed':
        this.checkpoints.push({ epoch: attempt.epoch, step: event.step, sizeBytes: event.sizeBytes, at });
        this.#advance(attempt, event.step);
        this.#emit('checkpoint', at, { epoch: attempt.epoch, step: event.step, sizeBytes: event.sizeBytes });
        return;
      case 'attempt_ended':
      case 'dataset_ended':
        this.endAttempt(event, at);
        return;
      default:
        assertNever(event, 'worker event');
    }
  }

  /** Somebody holds the lease of the current epoch. */
  claimed(at: Date): void {
    const attempt = this.#current();
    if (attempt.status === 'enqueued') {
      attempt.status = 'running';
      attempt.startedAt = at;
      this.#touch(attempt);
    }
    if (this.row.phase !== 'queued') return;
    this.#move('running');
    this.row.enqueued = false;
    this.row.queueRank = null;
    this.row.message = null;
    this.row.startedAt ??= at;
    this.#emitStatus(at);
  }

  /** The current attempt is over; the retry policy says what follows. */
  endAttempt(end: AttemptEnd, at: Date): void {
    this.claimed(at);
    this.#closeAttempt(end, at);
    // How it ends was decided before: that stands.
    if (this.row.ending !== null) return;
    if (end.reason === 'succeeded') {
      this.end({ reason: 'succeeded', message: end.message ?? null, result: end.result ?? null }, at);
      return;
    }
    const sequel = afterAttempt(this.row, end.reason, end.message ?? null);
    this.row.failures = sequel.spent.failures;
    this.row.preemptions = sequel.spent.preemptions;
    switch (sequel.next) {
      case 'queued':
        this.#move('queued');
        this.row.notBefore = sequel.backoffMs === 0 ? null : new Date(Date.now() + sequel.backoffMs);
        this.row.message = sequel.backoffMs === 0 ? null : (end.message ?? null);
        this.#emitStatus(at);
        return;
      case 'ended':
        this.endWith({ reason: sequel.reason, message: sequel.message });
        return;
      default:
        assertNever(sequel, 'sequel');
    }
  }

  /** Somebody wants it cancelled. Without a job or an attempt that could still win, that decides how it ends. */
  requestCancel(): void {
    this.row.cancelRequested = true;
    this.#touch();
    if (this.row.phase === 'queued' && !this.row.enqueued) this.endWith({ reason: 'cancelled', message: null });
  }

  /**
   * Decides how it is to end. It ends when its lease is sealed with that, or with the outcome that a worker wrote there
   * first.
   */
  endWith(ending: Ending): void {
    this.row.ending ??= ending;
    this.moved = true;
    this.#touch();
  }

  /** It has ended, and its lease says so. */
  end(outcome: Outcome, at: Date): void {
    const attempt = this.attempts.get(this.row.epoch);
    if (attempt !== undefined && attempt.status !== 'ended') {
      this.#closeAttempt({ reason: outcome.reason, message: outcome.message ?? undefined }, at);
    }
    this.#move('ended');
    this.row.reason = outcome.reason;
    this.row.message = outcome.message;
    this.row.result = outcome.result;
    this.row.ending = null;
    this.row.enqueued = false;
    this.row.queueRank = null;
    this.row.notBefore = null;
    this.row.endedAt = at;
    this.#emitStatus(at);
  }

  #closeAttempt(end: AttemptEnd, at: Date): void {
    const attempt = this.#current();
    const wasRunning = attempt.status === 'running';
    attempt.status = 'ended';
    attempt.endedAt = at;
    attempt.reason = end.reason;
    attempt.message = end.message ?? null;
    if (end.step !== undefined) attempt.lastStep = end.step;
    attempt.stepsRun =
      end.stepsRun ??
      (attempt.startStep === null || attempt.lastStep === null ? null : attempt.lastStep - attempt.startStep);
    attempt.peakMemoryBytes = end.peakMemoryBytes ?? null;
    this.#touch(attempt);
    if (!wasRunning) return;
    this.#emit('attempt_ended', at, {
      epoch: attempt.epoch,
      reason: end.reason,
      message: attempt.message,
      step: attempt.lastStep,
      stepsRun: attempt.stepsRun,
      peakMemoryBytes: attempt.peakMemoryBytes,
    });
  }

  #voidRowsAfter(step: number): void {
    for (const rowStep of this.logRows.keys()) if (rowStep > step) this.logRows.delete(rowStep);
    this.truncateAfter = Math.min(step, this.truncateAfter ?? step);
  }

  #advance(attempt: Mutable<AttemptRow>, step: number): void {
    if (attempt.lastStep !== null && attempt.lastStep >= step) return;
    attempt.lastStep = step;
    this.#touch(attempt);
  }

  #current(): Mutable<AttemptRow> {
    const attempt = this.attempts.get(this.row.epoch);
    if (attempt === undefined) throw new Error(`${this.row.id} has no attempt of epoch ${this.row.epoch}`);
    return attempt;
  }

  #move(to: Phase): void {
    checkMove(this.row.id, this.row.phase, to);
    this.row.phase = to;
    this.moved = true;
    this.#touch();
  }

  #touch(attempt?: AttemptRow): void {
    this.changed = true;
    if (attempt !== undefined) this.changedAttempts.add(attempt);
  }

  #emitStatus(at: Date): void {
    const status = experimentStatus(this.row.phase, this.row.reason);
    // Only experiments have live events, and only theirs is this result.
    const result = isTerminal(status) ? (this.row.result as ExperimentResult | null) : null;
    this.#emit('status', at, { status, reason: this.row.reason, message: this.row.message, result });
  }

  #emit<T extends StoredEvent['type']>(type: T, at: Date, data: Extract<StoredEvent, { type: T }>['data']): void {
    this.#touch();
    if (this.row.kind !== 'experiment') return;
    this.row.lastEvent += 1;
    this.events.push({ type, id: this.row.lastEvent, at: at.toISOString(), data } as StoredEvent);
  }
}

/** Live events that have an id. */
export type StoredEvent = Exclude<LiveEvent, { id: null }>;

function newAttempt(id: string, epoch: number, at: Date): AttemptRow {
  return {
    id,
    epoch,
    status: 'enqueued',
    workerId: null,
    enqueuedAt: at,
    startedAt: null,
    endedAt: null,
    reason: null,
    message: null,
    startStep: null,
    lastStep: null,
    stepsRun: null,
    peakMemoryBytes: null,
    engine: null,
    environment: null,
    restoredFrom: null,
    rejectedCheckpoints: null,
    lastSeq: 0,
  };
}
