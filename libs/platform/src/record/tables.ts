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
  LogRow,
  Phase,
  ReasonCode,
  RejectedCheckpoint,
  RetryBudget,
} from '@longrun/contracts';
import type { ColumnType, Generated, Selectable } from 'kysely';

/** The tables of the record; snake_case in the database. */
export interface Tables {
  lives: LivesTable;
  experiments: ExperimentsTable;
  datasets: DatasetsTable;
  attempts: AttemptsTable;
  checkpoints: CheckpointsTable;
  events: EventsTable;
  logRows: LogRowsTable;
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
  /** The last epoch issued; 0 before the first. */
  epoch: Generated<number>;
  /** True while the job of `epoch` is out and nobody is known to have claimed it. */
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
  epoch: number;
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
}

export interface CheckpointsTable {
  id: string;
  epoch: number;
  step: number;
  sizeBytes: number;
  at: Date;
}

/** Live events, for those who join later. */
export interface EventsTable {
  /** The experiment. */
  id: string;
  /** 1, 2, 3, … per experiment. */
  event: number;
  type: LiveEvent['type'];
  at: Date;
  data: JsonColumn<LiveEvent['data']>;
}

export interface LogRowsTable {
  id: string;
  step: number;
  row: JsonColumn<LogRow>;
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
