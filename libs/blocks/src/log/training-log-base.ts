import {
  naming,
  StateKind,
  StateMismatch,
  type Json,
  type Stateful,
  type VersionedState,
} from '@longrun/serialization';
import { randomUUID } from 'node:crypto';

import { decodeLogValue, encodeLogValue, type LogRow, type LogValue } from './log-value.js';

/** Where training is. `best_<record>` and the like of extensions stand beside the fixed entries. */
export interface TrainingStatus {
  /** Batches processed so far; the time of the log. */
  iterationsDone: number;
  epochsDone: number;
  /** `iterationsDone` at the end of each epoch. */
  epochEnds: readonly number[];
  trainingStarted: boolean;
  trainingFinished: boolean;
  epochStarted: boolean;
  /** Whether this epoch had a batch. */
  receivedFirstBatch: boolean;
  /** Training is to finish at the end of the epoch. */
  epochInterruptReceived: boolean;
  /** Training is to finish at the end of the batch. */
  batchInterruptReceived: boolean;
  /** The uuid of the log that this one goes on from, null where it began at the beginning. */
  resumedFrom: string | null;
  /** `iterationsDone` where it left that one. */
  resumedAt: number | null;
  [record: string]: LogValue;
}

/** Called with each row once nothing will be added to it. */
export type RowListener = (time: number, row: Readonly<LogRow>) => void;

/**
 * What happened in training: a status, and a row of records for each time, which is the number of batches done
 * (Blocks: `TrainingLogBase`). Here is all that logs have in common; where else than in memory rows are kept, a log says by overriding
 * `recall` and `flush`.
 *
 * Its state holds the status and the rows that what follows may still read or add to (the previous, the present and the last
 * epoch's), so that a checkpoint does not grow with training. Whoever wants all rows listens to them.
 */
export abstract class TrainingLogBase implements Stateful {
  status: TrainingStatus = freshStatus();
  readonly #rows = new Map<number, LogRow>();
  readonly #listeners: RowListener[] = [];
  readonly #rowsKept: number;
  #uuid = freshUuid();
  #completed = -1;
  /** The status and the row as they were when training finished; null while it has not. */
  #beforeEnd: Moment | null = null;

  /** @param rowsKept how many of the newest rows stay in memory */
  constructor(rowsKept: number) {
    this.#rowsKept = rowsKept;
  }

  /** Tells this log from others: 32 hexadecimal digits. Training that goes on from a checkpoint goes on in the same log (Blocks' `h_uuid` forked at each). */
  get uuid(): string {
    return this.#uuid;
  }

  /** The rows in memory, by time, oldest first. */
  get rows(): ReadonlyMap<number, Readonly<LogRow>> {
    return this.#rows;
  }

  /** The row of the present time. */
  get currentRow(): LogRow {
    return this.row(this.status.iterationsDone);
  }

  /** The row before it; an empty one at time 0. */
  get previousRow(): Readonly<LogRow> {
    return this.#rows.get(this.status.iterationsDone - 1) ?? {};
  }

  /** The row in which the last epoch ended; an empty one before. */
  get lastEpochRow(): Readonly<LogRow> {
    return this.#rows.get(this.status.epochEnds.at(-1) ?? -1) ?? {};
  }

  /** The row of a time, to read or to write; made if there is none. @throws RangeError unless `time` is a count of batches */
  row(time: number): LogRow {
    const present = this.#rows.get(time);
    if (present !== undefined) return present;
    if (!Number.isSafeInteger(time) || time < 0) {
      throw new RangeError(`TrainingLog: ${time} is not a time; give a number of batches, 0 or more`);
    }
    const row = this.recall(time) ?? {};
    this.#rows.set(time, row);
    this.#forget();
    return row;
  }

  /** Calls `listener` from now on. */
  onRow(listener: RowListener): void {
    this.#listeners.push(listener);
  }

  /** Hands the row of `time` to the listeners, once, unless it is empty. For the main loop, when the time is over. */
  complete(time: number): void {
    if (time <= this.#completed) return;
    this.#completed = time;
    const row = this.#rows.get(time);
    if (row === undefined || Object.keys(row).length === 0) return;
    for (const listener of this.#listeners) listener(time, row);
  }

  /** Training has finished: what is said of that from now on can be taken back. For the main loop. */
  finish(): void {
    const { [FINISH_REQUESTED]: _requested, ...row } = this.currentRow;
    this.#beforeEnd = { status: { ...this.status }, row };
    this.currentRow['training_finished'] = true;
    this.status.trainingFinished = true;
  }

  /** Takes back that training has finished, with all that was added to status and row since, or that it is to finish. */
  reopen(): void {
    const { [FINISH_REQUESTED]: _requested, training_finished: _finished, ...present } = this.currentRow;
    const { status, row } = this.#beforeEnd ?? { status: this.status, row: present };
    const open = { trainingFinished: false, epochInterruptReceived: false, batchInterruptReceived: false };
    this.status = { ...status, ...open };
    this.#rows.set(this.status.iterationsDone, { ...row });
    this.#beforeEnd = null;
  }

  /**
   * Goes on as a log of its own, whose parent is what this was (Blocks: `resume`): for training that goes on from a checkpoint of another run. One that goes on
   * from its own does not need it.
   */
  resume(): void {
    this.status.resumedFrom = this.#uuid;
    this.status.resumedAt = this.status.iterationsDone;
    this.#uuid = freshUuid();
  }

  /** Has what was logged so far kept, where that is not in memory only. For the main loop, as training begins and ends. */
  flush(): void {}

  /** A row that is not in memory. For overriding. */
  protected recall(_time: number): LogRow | undefined {
    return undefined;
  }

  state(): VersionedState {
    const { iterationsDone, epochEnds } = this.status;
    const times = [...new Set([epochEnds.at(-1) ?? 0, iterationsDone - 1, iterationsDone])].toSorted((a, b) => a - b);
    const rows = times.flatMap((time): [string, Json][] => {
      const row = this.#rows.get(time);
      return row === undefined ? [] : [[String(time), encodeRow(row)]];
    });
    const end = this.#beforeEnd;
    const beforeEnd = end === null ? null : { status: encodeRow(end.status), row: encodeRow(end.row) };
    return {
      ...TRAINING_LOG.head,
      uuid: this.#uuid,
      status: encodeRow(this.status),
      rows: Object.fromEntries(rows),
      beforeEnd,
    };
  }

  restore(state: VersionedState): void {
    const read = TRAINING_LOG.read(state);
    const status = decodeRow(read['status']);
    const saved = read['rows'];
    if (typeof status['iterationsDone'] !== 'number' || typeof saved !== 'object' || saved === null) {
      throw new StateMismatch('TrainingLog: the saved state has no status or no rows; the checkpoint is damaged');
    }
    this.status = { ...freshStatus(), ...status };
    if (typeof read['uuid'] === 'string') this.#uuid = read['uuid'];
    this.#beforeEnd = decodeMoment(read['beforeEnd']);
    this.#rows.clear();
    for (const [time, row] of Object.entries(saved)) this.#rows.set(Number(time), decodeRow(row));
    this.#completed = this.status.iterationsDone - 1;
  }

  #forget(): void {
    if (this.#rows.size <= this.#rowsKept + 2) return;
    const needed = new Set([this.status.epochEnds.at(-1), this.status.iterationsDone - 1, this.status.iterationsDone]);
    for (const time of this.#rows.keys()) {
      if (this.#rows.size <= this.#rowsKept) return;
      if (!needed.has(time)) this.#rows.delete(time);
    }
  }
}

/** The record by which an extension asks that training finishes. */
export const FINISH_REQUESTED = 'training_finish_requested';

interface Moment {
  readonly status: TrainingStatus;
  readonly row: LogRow;
}

const TRAINING_LOG = new StateKind('TrainingLog', {
  version: 4,
  namedSince: 2,
  migrations: [
    naming('TrainingLog'),
    // It did not say how things were before the end.
    { from: 2, migrate: (state) => ({ ...state, version: 3, beforeEnd: null }) },
    // It had no name, and `resumedFrom` said at which step it was restored last.
    { from: 3, migrate: (state) => ({ ...state, version: 4, uuid: null, status: unresumed(state['status']) }) },
  ],
});

function freshStatus(): TrainingStatus {
  return {
    iterationsDone: 0,
    epochsDone: 0,
    epochEnds: [],
    trainingStarted: false,
    trainingFinished: false,
    epochStarted: false,
    receivedFirstBatch: false,
    epochInterruptReceived: false,
    batchInterruptReceived: false,
    resumedFrom: null,
    resumedAt: null,
  };
}

function freshUuid(): string {
  return randomUUID().replaceAll('-', '');
}

function unresumed(status: Json | undefined): Json {
  return Object.fromEntries(Object.entries(status ?? {}).filter(([name]) => name !== 'resumedFrom'));
}

function encodeRow(row: LogRow): { [record: string]: Json } {
  return Object.fromEntries(Object.entries(row).map(([record, value]) => [record, encodeLogValue(value)]));
}

function decodeMoment(saved: Json | undefined): Moment | null {
  if (saved === null || saved === undefined) return null;
  const [status, row] = typeof saved === 'object' && 'status' in saved ? [saved.status, saved['row']] : [];
  return { status: { ...freshStatus(), ...decodeRow(status) }, row: decodeRow(row) };
}

function decodeRow(saved: Json | undefined): LogRow {
  if (typeof saved !== 'object' || saved === null || Array.isArray(saved)) {
    throw new StateMismatch('TrainingLog: a saved row is not an object; the checkpoint is damaged');
  }
  return Object.fromEntries(Object.entries(saved).map(([record, value]) => [record, decodeLogValue(value)]));
}
