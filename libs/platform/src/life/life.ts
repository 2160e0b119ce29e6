import {
  assertNever,
  type DatasetResult,
  type ExperimentResult,
  type LiveEvent,
  type LogRow,
  type ReasonCode,
  type WorkerEvent,
} from '@longrun/contracts';

import type { AttemptRow, Ending, LifeRow } from '../record/tables.js';
import { experimentResult, type Outcome } from './outcome.js';
import { afterAttempt, checkMove, experimentStatus, type Phase } from './transitions.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What is known of an attempt when it is closed. */
export interface ClosedAttempt {
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
  readonly #attempts: Map<number, Mutable<AttemptRow>>;

  /** Stored live events of this transaction. */
  readonly events: StoredEvent[] = [];
  /** Progress for those who follow now. */
  readonly ephemeral: LiveEvent[] = [];
  readonly logRows = new Map<number, LogRow>();
  readonly checkpoints: { fence: number; step: number; sizeBytes: number; at: Date }[] = [];
  /** Log rows beyond this step are void. */
  truncateAfter: number | null = null;
  /** It stands elsewhere than before: others may have to act. */
  moved = false;
  /** There is something to save. */
  changed = false;
  readonly changedAttempts = new Set<AttemptRow>();

  constructor(row: LifeRow, attempts: readonly AttemptRow[]) {
    this.row = { ...row };
    this.#attempts = new Map(attempts.map((attempt) => [attempt.fence, { ...attempt }]));
  }

  /** Those that were loaded, by fence; that of `row.fence` always, if there is one. */
  get attempts(): ReadonlyMap<number, AttemptRow> {
    return this.#attempts;
  }

  /** Says to followers that it was submitted. */
  submitted(at: Date): void {
    this.#emitStatus(at);
    this.#touch();
  }

  /** Issues the next fence: a job for it may be put in the queue, at this rank. */
  enqueue(rank: number, at: Date): number {
    if (this.row.phase !== 'queued' || this.row.enqueued) throw new Error(`${this.row.id} has a job already`);
    this.row.fence += 1;
    this.row.enqueued = true;
    this.row.queueRank = rank;
    this.row.notBefore = null;
    const attempt = newAttempt(this.row.id, this.row.fence, at);
    this.#attempts.set(attempt.fence, attempt);
    this.#touch(attempt);
    return this.row.fence;
  }

  /** Its place among the jobs in the queue has another number. */
  rank(rank: number): void {
    this.row.queueRank = rank;
    this.#touch();
  }

  /** Whether an event of an attempt is taken. Numbers are taken without gaps; written-off attempts are refused. */
  judge(fence: number, seq: number): Verdict {
    const attempt = this.attempts.get(fence);
    if (attempt === undefined) return 'refused';
    if (seq > 0 && seq <= attempt.lastSeq) return 'duplicate';
    if (fence !== this.row.fence || attempt.status === 'ended') return 'refused';
    return seq > attempt.lastSeq + 1 ? 'gap' : 'taken';
  }

  /** Notes that an event with this number was taken, whatever it said. */
  took(fence: number, seq: number): void {
    const attempt = this.#attempts.get(fence);
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
        const data = {
          fence: attempt.fence,
          workerId: event.workerId,
          startStep: event.startStep,
          engine: event.engine,
          restoredFrom: event.restoredFrom ?? null,
          environmentChanged: event.environmentChanged ?? [],
          rejectedCheckpoints: event.rejectedCheckpoints,
        };
        this.#emit(at, (stamp) => ({ type: 'attempt_started', ...stamp, data }));
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
        this.#emit(at, (stamp) => ({
          type: 'log_row',
          ...stamp,
          data: { fence: attempt.fence, step: event.step, row: event.row },
        }));
        return;
      case 'log_skipped':
        this.logMissing(event.toStep);
        return;
      case 'line':
        this.#emit(at, (stamp) => ({
          type: 'line',
          ...stamp,
          data: { fence: attempt.fence, stream: event.stream, text: event.text },
        }));
        return;
      case 'checkpoint_committed': {
        const data = { fence: attempt.fence, step: event.step, sizeBytes: event.sizeBytes };
        this.checkpoints.push({ ...data, at });
        this.#advance(attempt, event.step);
        this.#emit(at, (stamp) => ({ type: 'checkpoint', ...stamp, data }));
        return;
      }
      case 'attempt_ended':
      case 'dataset_ended':
        this.endAttempt(event, at);
        return;
      default:
        assertNever(event, 'worker event');
    }
  }

  /** Log rows up to this step may not have come: they are to be completed from the checkpoints' log. */
  logMissing(toStep: number): void {
    this.row.logGapTo = Math.max(toStep, this.row.logGapTo ?? 0);
    this.#touch();
  }

  /** Somebody holds the lease of the current fence. */
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
  endAttempt(end: ClosedAttempt, at: Date): void {
    this.claimed(at);
    this.#closeAttempt(end, at);
    // How it ends was decided before: that stands.
    if (this.row.ending !== null) return;
    if (end.reason === 'succeeded') {
      const outcome = { reason: end.reason, message: end.message ?? null, result: end.result ?? null };
      this.end(outcome, this.row.fence, at);
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

  /**
   * It has ended, and its lease says so. `byFence` is the attempt whose worker wrote the outcome there; null when it was
   * the record.
   */
  end(outcome: Outcome, byFence: number | null, at: Date): void {
    const { reason, message } = outcome;
    const current = this.#attempts.get(this.row.fence);
    // Its worker claimed it, and died before a word.
    if (byFence === this.row.fence && current?.status === 'enqueued') this.claimed(at);
    if (current !== undefined && current.status !== 'ended') {
      const superseded = byFence !== null && byFence !== current.fence;
      this.#closeAttempt(
        superseded
          ? { reason: 'cancelled', message: 'An earlier attempt ended it' }
          : { reason, message: message ?? undefined },
        at,
      );
    }
    const author = byFence === null ? undefined : this.#attempts.get(byFence);
    if (author !== undefined && author.reason !== reason) {
      // It was written off, but its outcome was in the lease before a successor's claim.
      author.reason = reason;
      author.message = message;
      this.#touch(author);
    }
    this.#move('ended');
    this.row.reason = reason;
    this.row.message = message;
    this.row.result = outcome.result;
    this.row.ending = null;
    this.row.enqueued = false;
    this.row.queueRank = null;
    this.row.notBefore = null;
    this.row.endedAt = at;
    this.#emitStatus(at);
  }

  #closeAttempt(end: ClosedAttempt, at: Date): void {
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
    const { fence, message, lastStep: step, stepsRun, peakMemoryBytes } = attempt;
    const data = { fence, reason: end.reason, message, step, stepsRun, peakMemoryBytes };
    this.#emit(at, (stamp) => ({ type: 'attempt_ended', ...stamp, data }));
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
    const attempt = this.#attempts.get(this.row.fence);
    if (attempt === undefined) throw new Error(`${this.row.id} has no attempt of fence ${this.row.fence}`);
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
    const { phase, reason, message } = this.row;
    const data = {
      status: experimentStatus(phase, reason),
      reason,
      message,
      result: experimentResult(this.row.result),
    };
    this.#emit(at, (stamp) => ({ type: 'status', ...stamp, data }));
  }

  #emit(at: Date, event: (stamp: { id: number; at: string }) => StoredEvent): void {
    this.#touch();
    // Only experiments have followers.
    if (this.row.kind !== 'experiment') return;
    this.row.lastEvent += 1;
    this.events.push(event({ id: this.row.lastEvent, at: at.toISOString() }));
  }
}

/** Live events that have an id. */
export type StoredEvent = Exclude<LiveEvent, { id: null }>;

function newAttempt(id: string, fence: number, at: Date): AttemptRow {
  return {
    id,
    fence,
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
