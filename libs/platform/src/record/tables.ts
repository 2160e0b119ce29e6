import type {
  DatasetProgress,
  DatasetResult,
  DatasetSpec,
  ExperimentProgress,
  ExperimentResult,
  ExperimentSpec,
  Json,
  Kind,
  LiveEvent,
  ReasonCode,
  RejectedCheckpoint,
  RetryBudget,
} from '@longrun/contracts';
import type { ColumnType, Generated, Selectable } from 'kysely';

import type { Phase } from '../life/transitions.js';

/** The tables of the record; snake_case in the database. */
export interface Tables {
  lives: LivesTable;
  experiments: ExperimentsTable;
  datasets: DatasetsTable;
  attempts: AttemptsTable;
  checkpoints: CheckpointsTable;
  events: EventsTable;
  logChunks: LogChunksTable;
  logColumns: LogColumnsTable;
  ingestCursors: IngestCursorsTable;
  idempotencyKeys: IdempotencyKeysTable;
}

/** A JSON column: written as text, read as the value. */
type JsonColumn<T> = ColumnType<T, string, string>;
/** The same, and null is SQL's null. */
type NullableJsonColumn<T> = ColumnType<T | null, string | null, string | null>;

/** What experiments and datasets have in common: where they stand. One row each; its lock guards all that belongs to it. */
export interface LivesTable {
  id: string;
  kind: Kind;
  /** Order of submission: its place in the queue, which it keeps. */
  place: Generated<number>;
  priority: number;
  retry: JsonColumn<RetryBudget>;
  phase: Phase;
  reason: ReasonCode | null;
  message: string | null;
  /** What it left when it succeeded. */
  result: NullableJsonColumn<ExperimentResult | DatasetResult>;
  /** How it is to end, decided and not yet written into its lease. */
  ending: NullableJsonColumn<Ending>;
  /** The last fence issued; 0 before the first. */
  fence: Generated<number>;
  /** True while the job of `fence` is out and nobody is known to have claimed it. */
  enqueued: Generated<boolean>;
  /** BullMQ's priority of that job; lower comes first. */
  queueRank: number | null;
  /** Not tried again before. */
  notBefore: Date | null;
  failures: Generated<number>;
  preemptions: Generated<number>;
  cancelRequested: Generated<boolean>;
  progress: NullableJsonColumn<ExperimentProgress | DatasetProgress>;
  /** Id of its last event. */
  lastEvent: Generated<number>;
  /** Log rows up to this step may be missing; null when none can be. */
  logGapTo: number | null;
  /** Log rows up to this step were compared with the checkpoints' log, and none is missing; -1 before the first comparison. */
  logCompleteTo: Generated<number>;
  /** The attempt whose worker wrote the outcome; null when it was the record, or there is none yet. */
  outcomeFence: number | null;
  submittedAt: Date;
  startedAt: Date | null;
  endedAt: Date | null;
}

/** How a life is to end. */
export interface Ending {
  readonly reason: ReasonCode;
  readonly message: string | null;
}

export interface ExperimentsTable {
  id: string;
  name: string;
  spec: JsonColumn<ExperimentSpec>;
  datasetId: string;
}

export interface DatasetsTable {
  id: string;
  name: string;
  spec: JsonColumn<DatasetSpec>;
  /** False once it has failed: its name is free again. */
  current: Generated<boolean>;
}

export interface AttemptsTable {
  id: string;
  fence: number;
  status: 'enqueued' | 'running' | 'ended';
  workerId: string | null;
  enqueuedAt: Date;
  startedAt: Date | null;
  endedAt: Date | null;
  reason: ReasonCode | null;
  message: string | null;
  startStep: number | null;
  lastStep: number | null;
  stepsRun: number | null;
  peakMemoryBytes: number | null;
  engine: string | null;
  environment: NullableJsonColumn<Json>;
  restoredFrom: string | null;
  rejectedCheckpoints: NullableJsonColumn<readonly RejectedCheckpoint[]>;
  /** Sequence number of the last event taken. */
  lastSeq: Generated<number>;
  /** True when it said itself that it was over: nothing was written off. */
  saidEnd: Generated<boolean>;
  /** How many chunks of its log are small, and to be merged. */
  smallChunks: Generated<number>;
}

export interface CheckpointsTable {
  id: string;
  fence: number;
  step: number;
  sizeBytes: number;
  at: Date;
}

/** Live events, for those who join later; those of log rows are in {@link LogChunksTable}. */
export interface EventsTable {
  /** The experiment. */
  id: string;
  /** Ascends per experiment; the numbers between are those of log rows. */
  event: number;
  type: LiveEvent['type'];
  at: Date;
  data: JsonColumn<LiveEvent['data']>;
}

/** Rows of an attempt's training log, some hundreds together, as they came. The events of two chunks of a life never interleave. */
export interface LogChunksTable {
  id: string;
  /** Event id of its first row. */
  chunk: number;
  fence: number;
  /** The smallest step. */
  firstStep: number;
  /** The largest step. */
  lastStep: number;
  /** Rows of later steps are superseded: a later attempt began there. Null when none is. */
  validTo: number | null;
  rowCount: number;
  /** About as much as its rows take as JSON. */
  sizeBytes: number;
  /** Of each row, in the order in which they came; events ascend. */
  steps: number[];
  events: number[];
  /** Milliseconds since 1970, by the worker's clock. */
  times: number[];
}

/** What the rows of a chunk say under one name. */
export interface LogColumnsTable {
  id: string;
  chunk: number;
  name: string;
  /** Of each row; null where it has no number under this name. */
  numbers: (number | null)[];
  /** Values that are no numbers, by the row's index. */
  others: NullableJsonColumn<Readonly<Record<string, Json>>>;
}

/** How far a stream has been taken in; moves in the transaction that holds the effects. */
export interface IngestCursorsTable {
  stream: string;
  cursor: string;
}

export interface IdempotencyKeysTable {
  kind: Kind;
  key: string;
  /** Of the request's canonical JSON. */
  requestSha256: string;
  /** What was made. */
  id: string;
  at: Date;
}

export type LifeRow = Selectable<LivesTable>;
export type AttemptRow = Selectable<AttemptsTable>;
export type ExperimentRow = Selectable<ExperimentsTable>;
export type DatasetRow = Selectable<DatasetsTable>;
export type CheckpointRow = Selectable<CheckpointsTable>;
