import {
  assertNever,
  type DatasetProgress,
  type DatasetStatus,
  type ExperimentProgress,
  type ExperimentStatus,
  type JsonObject,
  type LogRow,
  type NonFiniteCost,
  type Phase,
} from '@longrun/contracts';

import { CONTROLLER, USER } from '../record/audit.js';
import type { AttemptRow, Ending, LifeRow } from '../record/tables.js';
import { type AttemptBegin, type ClosedAttempt, newAttempt } from './attempt.js';
import { Changes, type StoredEvent } from './changes.js';
import { experimentResult, type Outcome } from './outcome.js';
import { afterAttempt, checkMove, datasetStatus, experimentStatus } from './transitions.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What to do with an event: take it, or which is its flaw. */
export type Verdict = 'taken' | 'duplicate' | 'gap' | 'refused';

/**
 * One experiment or dataset, locked, inside one transaction: every change of where it stands is a method here.
 * It changes rows in memory and collects what is to be written; `Lives` loads and saves it.
 */
export class Life {
  readonly row: Mutable<LifeRow>;
  readonly #attempts: Map<number, Mutable<AttemptRow>>;

  /** What is to be written besides the row. */
  readonly changes = new Changes();

  constructor(row: LifeRow, attempts: readonly AttemptRow[]) {
    this.row = { ...row };
    this.#attempts = new Map(attempts.map((attempt) => [attempt.fence, { ...attempt }]));
  }

  /** Those that were loaded, by fence; that of `row.fence` always, if there is one. */
  get attempts(): ReadonlyMap<number, AttemptRow> {
    return this.#attempts;
  }

  /** Says to followers that it was submitted, and to the audit as what. */
  submitted(what: JsonObject, at: Date): void {
    this.#emitStatus(at);
    this.changes.moved = true;
    this.#audit(USER, 'submit', null, what);
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

  /**
   * Whether an event of an attempt is taken. Numbers are taken without gaps. An attempt that was written off is refused;
   * one that wrote the outcome, or said its end, still has its say on what happened in it.
   */
  judge(fence: number, seq: number): Verdict {
    const attempt = this.#attempts.get(fence);
    if (attempt === undefined || this.row.deletedAt !== null) return 'refused';
    if (seq > 0 && seq <= attempt.lastSeq) return 'duplicate';
    if (!this.isOpen(fence) && !attempt.saidEnd && this.row.outcomeFence !== fence) return 'refused';
    return seq > attempt.lastSeq + 1 ? 'gap' : 'taken';
  }

  /** True while the attempt of this fence is on: what it says can still move the life. */
  isOpen(fence: number): boolean {
    return fence === this.row.fence && this.#attempts.get(fence)?.status !== 'ended';
  }

  /** Notes that an event with this number, of this time, was taken, whatever it said. */
  took(fence: number, seq: number, at: Date): void {
    const attempt = this.#attempts.get(fence);
    if (attempt === undefined) return;
    const sinceLastMs = attempt.lastHeardAt === null ? Infinity : at.getTime() - attempt.lastHeardAt.getTime();
    if (seq === 0 && sinceLastMs < SIGN_EVERY_MS) return;
    if (seq > 0) attempt.lastSeq = seq;
    if (sinceLastMs > 0) attempt.lastHeardAt = at;
    this.#touch(attempt);
  }

  /** A chunk of an attempt's log is small. */
  hasSmallChunk(fence: number): void {
    const attempt = this.#attempts.get(fence);
    if (attempt === undefined) return;
    attempt.smallChunks += 1;
    this.#touch(attempt);
  }

  /** What its worker says of an attempt that begins. Log rows of earlier attempts beyond its start are superseded. */
  begun(fence: number, begin: AttemptBegin, at: Date): void {
    const attempt = this.#attempt(fence);
    const { environmentChanged, librariesChanged, ...facts } = begin;
    Object.assign(attempt, facts);
    // The row of the step that it begins at comes again, and so do all later ones.
    const before = begin.startStep - 1;
    this.row.logCompleteTo = Math.min(this.row.logCompleteTo, before);
    if (this.row.logGapTo !== null) this.row.logGapTo = before < 0 ? null : before;
    if (this.row.nonFinite !== null && this.row.nonFinite.step > begin.startStep) this.row.nonFinite = null;
    // Where it begins is its trainer's word, but not that checkpoints are damaged.
    if (begin.rejectedCheckpoints.length > 0) this.row.progressStep = Math.min(this.row.progressStep, begin.startStep);
    this.changes.begun.push({ fence, step: begin.startStep });
    this.#touch(attempt);
    this.advanced(fence, begin.startStep);
    const { workerId, startStep, engine, restoredFrom, rejectedCheckpoints } = begin;
    const changed = { environmentChanged, librariesChanged };
    const data = { fence, workerId, startStep, engine, restoredFrom, ...changed, rejectedCheckpoints };
    this.#emit(at, (stamp) => ({ type: 'attempt_started', ...stamp, data }));
  }

  /** A setting of hyperparameters was applied when so many batches were done. */
  hasSet(number: number, step: number): void {
    this.changes.settings.push({ number, step });
    this.#touch();
  }

  /** Somebody wants hyperparameters to be set: for the audit. */
  requestSet(number: number, values: JsonObject): void {
    this.#audit(USER, 'set', null, { number, hyperparameters: values });
  }

  /** Which worker has it. */
  heldBy(fence: number, workerId: string): void {
    const attempt = this.#attempt(fence);
    attempt.workerId = workerId;
    this.#touch(attempt);
  }

  /** An attempt is at this step now, at least. */
  advanced(fence: number, step: number): void {
    const attempt = this.#attempt(fence);
    if (attempt.lastStep !== null && attempt.lastStep >= step) return;
    attempt.lastStep = step;
    this.#touch(attempt);
  }

  /** How far it is. */
  progressed(progress: ExperimentProgress | DatasetProgress, at: Date): void {
    this.row.progress = progress;
    if ('step' in progress) this.changes.progress = { at: at.toISOString(), data: progress };
    this.#touch();
  }

  /** A row of the log, or a part of one: monitoring of the batch, then of the epoch. */
  logged(fence: number, step: number, row: LogRow, at: Date): void {
    this.advanced(fence, step);
    // The checkpoints' log may have been faster.
    if (step <= this.row.logCompleteTo) this.changes.doubtful.push({ fence, step, at, row });
    else this.addEntry(fence, step, row, at);
  }

  /** Adds a row that the record is known not to have. */
  addEntry(fence: number, step: number, row: LogRow, at: Date): void {
    // Only experiments have followers.
    if (this.row.kind !== 'experiment') return;
    this.row.lastEvent += 1;
    this.changes.entries.push({ event: this.row.lastEvent, fence, step, time: at.getTime(), row });
    this.#touch();
  }

  /** A cost is not a finite number: the first stays. */
  hasNonFinite(cost: NonFiniteCost): void {
    if (this.row.nonFinite !== null && this.row.nonFinite.step <= cost.step) return;
    this.row.nonFinite = cost;
    this.#touch();
  }

  /** A line that an attempt printed. */
  printed(fence: number, line: { readonly stream: 'stdout' | 'stderr'; readonly text: string }, at: Date): void {
    this.#emit(at, (stamp) => ({ type: 'line', ...stamp, data: { fence, ...line } }));
  }

  /** A checkpoint of an attempt is committed. It is progress where it is beyond all before it that an attempt could go on from. */
  committed(fence: number, checkpoint: { readonly step: number; readonly sizeBytes: number }, at: Date): void {
    const data = { fence, ...checkpoint };
    this.changes.checkpoints.push({ ...data, at });
    if (checkpoint.step > this.row.progressStep) {
      this.row.progressStep = checkpoint.step;
      this.row.losses = 0;
      this.row.refusals = 0;
    }
    this.advanced(fence, checkpoint.step);
    this.#emit(at, (stamp) => ({ type: 'checkpoint', ...stamp, data }));
  }

  /** Log rows up to this step may not have come: they are to be completed from the checkpoints' log. */
  logMissing(toStep: number): void {
    this.row.logGapTo = Math.max(toStep, this.row.logGapTo ?? 0);
    this.#touch();
  }

  /** All rows up to this step that the log of a checkpoint of this fence has are there. */
  logCompleted(fence: number, toStep: number): void {
    // Of another experiment's rows there is no attempt.
    const startStep = this.#attempts.get(this.row.fence)?.startStep ?? null;
    // A later attempt may have gone on from an earlier checkpoint, as the newest was damaged.
    const counts = fence < this.row.fence && startStep !== null ? Math.min(toStep, startStep - 1) : toStep;
    this.row.logCompleteTo = Math.max(counts, this.row.logCompleteTo);
    if (this.row.logGapTo !== null && this.row.logGapTo <= this.row.logCompleteTo) this.row.logGapTo = null;
    this.#touch();
  }

  /** Rows that are missing still will not come. */
  logGivenUp(): void {
    this.row.logGapTo = null;
    this.#touch();
  }

  /** An attempt says its end after it was closed: what is known of it is completed, and nothing ends again. */
  completeEnd(fence: number, end: ClosedAttempt): void {
    const attempt = this.#attempt(fence);
    if (end.step !== undefined) attempt.lastStep = end.step;
    if (end.stepsRun !== undefined) attempt.stepsRun = end.stepsRun;
    if (end.peakMemoryBytes !== undefined) attempt.peakMemoryBytes = end.peakMemoryBytes;
    attempt.saidEnd = true;
    this.changes.ended.add(fence);
    this.#touch(attempt);
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

  /** The current attempt says that it is over; the retry policy says what follows, to which these workers are ready. */
  endAttempt(end: ClosedAttempt, at: Date, readyWorkers: readonly string[] = []): void {
    this.claimed(at);
    const attempt = this.#current();
    attempt.saidEnd = true;
    const othersReady = readyWorkers.some((id) => id !== attempt.workerId);
    this.#afterEnd(end, at, othersReady);
  }

  /** The current attempt is given up without its word; the retry policy says what follows. */
  writeOff(end: ClosedAttempt, at: Date): void {
    const before = this.#status();
    this.claimed(at);
    const { fence, workerId, lastStep } = this.#current();
    // What else it has said may be lost with it, and all that it has said.
    if (this.row.kind === 'experiment') this.logMissing(lastStep ?? 0);
    this.#afterEnd(end, at, false);
    const after = { status: this.#status(), reason: end.reason };
    this.#audit(CONTROLLER, 'write-off', { status: before, fence, workerId }, after);
  }

  #afterEnd(end: ClosedAttempt, at: Date, othersReady: boolean): void {
    this.#closeAttempt(end, at);
    // How it ends was decided before: that stands.
    if (this.row.ending !== null) return;
    if (end.reason === 'succeeded') {
      // It ends when its log is complete, by the outcome in its lease.
      if (this.row.logGapTo !== null) return this.endWith({ reason: 'succeeded', message: end.message ?? null });
      const outcome = { reason: end.reason, message: end.message ?? null, result: end.result ?? null };
      this.end(outcome, this.row.fence, at);
      return;
    }
    const sequel = afterAttempt(this.row, end.reason, end.message ?? null, othersReady);
    this.row.failures = sequel.spent.failures;
    this.row.preemptions = sequel.spent.preemptions;
    this.row.losses = sequel.spent.losses;
    this.row.refusals = sequel.spent.refusals;
    switch (sequel.next) {
      case 'queued':
        this.#move('queued');
        this.row.notBefore = sequel.backoffMs === 0 ? null : new Date(Date.now() + sequel.backoffMs);
        this.row.message = sequel.backoffMs === 0 ? null : (end.message ?? null);
        this.#emitStatus(at);
        return;
      case 'paused':
        this.row.message = end.reason === 'paused' ? null : (end.message ?? null);
        this.#pauseNow(at);
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
    if (!this.row.cancelRequested) {
      const before = { status: this.#status(), cancelRequested: false };
      this.#audit(USER, 'cancel', before, { cancelRequested: true });
    }
    this.row.cancelRequested = true;
    this.#touch();
    const { phase, enqueued } = this.row;
    if (phase === 'paused' || (phase === 'queued' && !enqueued)) this.endWith({ reason: 'cancelled', message: null });
  }

  /** Somebody wants the attempt that is on to give its machine back. */
  requestPreempt(): void {
    const attempt = this.#current();
    if (attempt.preemptRequested) return;
    this.#audit(USER, 'preempt', { status: this.#status(), fence: attempt.fence }, { preemptRequested: true });
    attempt.preemptRequested = true;
    this.#touch(attempt);
  }

  /** Somebody has changed what is for people, or its place among others: what of it, before and after. */
  changed(before: JsonObject, after: JsonObject, priority: number): void {
    this.#audit(USER, 'change', before, after);
    if (this.row.priority === priority) return;
    this.row.priority = priority;
    this.changes.moved = true;
  }

  /** Somebody wants it paused. Without a job or an attempt it is at once; else when that has ended, or is taken back. */
  requestPause(at: Date): void {
    if (this.row.phase === 'paused' || this.row.pauseRequested) return;
    this.#audit(USER, 'pause', { status: this.#status() }, { pauseRequested: true });
    this.row.pauseRequested = true;
    if (this.row.phase === 'queued' && !this.row.enqueued) this.#pauseNow(at);
  }

  /** The job of this fence was taken back before a worker claimed it. If it is to be paused no more, another one follows. */
  takenBack(fence: number, at: Date): void {
    if (!this.row.enqueued || this.row.fence !== fence) return;
    this.#closeAttempt({ reason: 'paused' }, at);
    this.row.enqueued = false;
    this.row.queueRank = null;
    this.changes.moved = true;
    if (this.row.cancelRequested) this.endWith({ reason: 'cancelled', message: null });
    else if (this.row.pauseRequested) this.#pauseNow(at);
  }

  /** Somebody wants it to go on: it is queued if it is paused, and is not paused if that was only asked for. */
  resume(at: Date): void {
    const { phase, pauseRequested } = this.row;
    if (phase !== 'paused' && !pauseRequested) return;
    this.#audit(USER, 'resume', { status: this.#status(), pauseRequested }, { pauseRequested: false });
    this.row.pauseRequested = false;
    if (phase !== 'paused') return;
    this.#move('queued');
    this.row.message = null;
    this.#emitStatus(at);
  }

  /**
   * It has ended and is to go on, with new budgets, from its newest checkpoint. No job is put into the queue before its lease is reopened
   * under the fence that this issues, see {@link reopened}.
   *
   * @param headFence the fence in its lease, 0 where nobody ever had one
   */
  retry(headFence: number, at: Date): void {
    const { reason } = this.row;
    this.#audit(USER, 'retry', { status: this.#status(), reason }, { status: 'queued' });
    this.#move('queued');
    this.row.fence = Math.max(this.row.fence, headFence) + 1;
    this.row.budgetFence = this.row.fence;
    this.row.reopening = true;
    this.row.failures = 0;
    this.row.preemptions = 0;
    this.row.losses = 0;
    this.row.refusals = 0;
    this.row.cancelRequested = false;
    this.row.reason = null;
    this.row.message = null;
    this.row.result = null;
    // What is still on its way of the attempt that ended it would come among the rows of those to come.
    this.row.outcomeFence = null;
    this.row.endedAt = null;
    this.#emitStatus(at);
  }

  /** Its lease was reopened under this fence: it may run. Nothing if it has been known. */
  reopened(fence: number): void {
    if (!this.row.reopening || this.row.budgetFence !== fence) return;
    this.row.reopening = false;
    this.changes.moved = true;
    this.#touch();
  }

  /**
   * It has ended and somebody has deleted it: from now on nothing of it is found, and what is left of it is removed, until {@link removed} is said.
   *
   * @param what it was, for the audit
   */
  delete(what: JsonObject, at: Date, by: string): void {
    if (this.row.phase !== 'ended') throw new Error(`${this.row.id} has not ended, and cannot be deleted`);
    this.#audit(by, 'delete', { ...what, status: this.#status(), reason: this.row.reason }, null);
    this.row.deletedAt = at;
    this.row.removing = true;
  }

  /** Nothing is left of it but this row. */
  removed(): void {
    this.row.removing = false;
    this.#touch();
  }

  /**
   * Decides how it is to end. It ends when its lease is sealed with that, or with the outcome that a worker wrote there
   * first.
   */
  endWith(ending: Ending): void {
    this.row.ending ??= ending;
    this.changes.moved = true;
    this.#touch();
  }

  /**
   * It has ended, and its lease says so. `byFence` is the attempt whose worker wrote the outcome there; null when it was
   * the record.
   */
  end(outcome: Outcome, byFence: number | null, at: Date): void {
    const { reason, message } = outcome;
    const before = this.#status();
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
    this.row.outcomeFence = byFence;
    this.row.ending = null;
    this.row.enqueued = false;
    this.row.queueRank = null;
    this.row.notBefore = null;
    this.row.pauseRequested = false;
    this.row.endedAt = at;
    this.#emitStatus(at);
    if (byFence === null) this.#audit(CONTROLLER, 'end', { status: before }, { status: this.#status(), reason });
  }

  #pauseNow(at: Date): void {
    this.#move('paused');
    this.row.pauseRequested = false;
    this.row.notBefore = null;
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
    this.changes.ended.add(attempt.fence);
    this.#touch(attempt);
    if (!wasRunning) return;
    const { fence, message, lastStep: step, stepsRun, peakMemoryBytes } = attempt;
    const data = { fence, reason: end.reason, message, step, stepsRun, peakMemoryBytes };
    this.#emit(at, (stamp) => ({ type: 'attempt_ended', ...stamp, data }));
  }

  #current(): Mutable<AttemptRow> {
    return this.#attempt(this.row.fence);
  }

  #attempt(fence: number): Mutable<AttemptRow> {
    const attempt = this.#attempts.get(fence);
    if (attempt === undefined) throw new Error(`${this.row.id} has no attempt of fence ${fence} at hand`);
    return attempt;
  }

  #move(to: Phase): void {
    checkMove(this.row.id, this.row.phase, to);
    this.row.phase = to;
    this.changes.moved = true;
    this.#touch();
  }

  #touch(attempt?: AttemptRow): void {
    this.changes.touch(attempt);
  }

  #status(): ExperimentStatus | DatasetStatus {
    const { kind, phase, reason } = this.row;
    return kind === 'experiment' ? experimentStatus(phase, reason) : datasetStatus(phase, reason);
  }

  #audit(actor: string, action: string, before: JsonObject | null, after: JsonObject | null): void {
    this.changes.audited.push({ actor, action, subject: this.row.id, before, after });
    this.#touch();
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
    this.changes.events.push(event({ id: this.row.lastEvent, at: at.toISOString() }));
  }
}

/** Heartbeats alone are written down so rarely. */
const SIGN_EVERY_MS = 5_000;
