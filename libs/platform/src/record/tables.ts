import type {
  DatasetFile,
  DatasetProgress,
  DatasetResult,
  DatasetSpec,
  ExperimentOrigin,
  ExperimentProgress,
  ExperimentResult,
  ExperimentSpec,
  ExperimentStatus,
  Hyperparameters,
  Json,
  JsonObject,
  Kind,
  LiveEvent,
  NonFiniteCost,
  Phase,
  LibraryVersions,
  ReasonCode,
  RejectedCheckpoint,
  RetryBudget,
  WorkerReport,
  WorkerStatus,
} from '@longrun/contracts';
import type { ColumnType, Generated, Selectable } from 'kysely';

/** The tables of the record; snake_case in the database. */
export interface Tables {
  lives: LivesTable;
  experiments: ExperimentsTable;
  experimentDatasets: ExperimentDatasetsTable;
  experimentTags: ExperimentTagsTable;
  datasets: DatasetsTable;
  programs: ProgramsTable;
  attempts: AttemptsTable;
  checkpoints: CheckpointsTable;
  hyperparameterSettings: HyperparameterSettingsTable;
  events: EventsTable;
  logChunks: LogChunksTable;
  logColumns: LogColumnsTable;
  metrics: MetricsTable;
  ingestCursors: IngestCursorsTable;
  idempotencyKeys: IdempotencyKeysTable;
  controller: ControllerTable;
  controllerBeats: ControllerBeatsTable;
  workers: WorkersTable;
  audit: AuditTable;
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
  result: NullableJsonColumn<ExperimentResult | StoredDatasetResult>;
  /** How it is to end, decided and not yet written into its lease. */
  ending: NullableJsonColumn<Ending>;
  /** The last fence issued, to an attempt or to the record itself; 0 before the first. */
  fence: Generated<number>;
  /** True while the job of `fence` is out and nobody is known to have claimed it. */
  enqueued: Generated<boolean>;
  /** BullMQ's priority of that job; lower comes first. */
  queueRank: number | null;
  /** Not tried again before. */
  notBefore: Date | null;
  failures: Generated<number>;
  preemptions: Generated<number>;
  /** Losses in a row, without progress between them: a checkpoint beyond {@link progressStep}. */
  losses: Generated<number>;
  /** Ends in a row for the disks of its workers, without progress between them. */
  refusals: Generated<number>;
  /** How far its checkpoints have brought it; 0 before the first, and less again when the newest are damaged. */
  progressStep: Generated<number>;
  cancelRequested: Generated<boolean>;
  /** It is to be paused once the attempt that is on has ended, or its job is taken back. */
  pauseRequested: Generated<boolean>;
  /** Attempts of fences above it count in its budgets. 0, or issued to the record itself when it was last retried. */
  budgetFence: Generated<number>;
  /**
   * Its lease is not ready for a job: it was retried, and the lease may have the outcome of before; or it is to begin from another experiment's checkpoint
   * and has no copy of that yet.
   */
  reopening: Generated<boolean>;
  progress: NullableJsonColumn<ExperimentProgress | DatasetProgress>;
  /** The first cost that was not a finite number. */
  nonFinite: NullableJsonColumn<NonFiniteCost>;
  /** Who submitted it, and in which project. `default` until there are users. */
  owner: Generated<string>;
  project: Generated<string>;
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
  /** It was deleted, and is neither listed nor found; null while it is there. */
  deletedAt: Date | null;
  /** It was deleted, and what is left of it is still to be removed: bytes in the object store, and rows. */
  removing: Generated<boolean>;
}

/** How a life is to end. */
export interface Ending {
  readonly reason: ReasonCode;
  readonly message: string | null;
}

export interface ExperimentsTable {
  id: string;
  name: string;
  /** Kept apart from the row: those who list and count read the other columns alone. */
  spec: JsonColumn<ExperimentSpec>;
  /** Name of its program, without a part of the hash that the spec may have. */
  program: string;
  /** Of the module that it runs; null where it was submitted before there were any, and none of its name has been published since. */
  programSha256: string | null;
  /** Of which checkpoint of another one it began; null where it began at its beginning. */
  origin: NullableJsonColumn<ExperimentOrigin>;
  /** Id of the experiment that it is the same as, once more; null where it was submitted by itself. */
  reproduces: string | null;
  /** As its life has them; here so that what is listed is filtered, sorted and counted in one table. */
  place: number;
  owner: string;
  project: string;
  status: ExperimentStatus;
  endedAt: Date | null;
}

/** What was published: a module may have several names, and a name several modules. */
export interface ProgramsTable {
  name: string;
  sha256: string;
  /** Order of publication; of a name the highest is the newest. */
  place: Generated<number>;
  sizeBytes: number;
  description: string;
  /** JSON schema. */
  params: JsonColumn<JsonObject>;
  libraries: JsonColumn<LibraryVersions>;
  publishedAt: Date;
}

/** Which dataset an experiment uses for what. */
export interface ExperimentDatasetsTable {
  /** The experiment. */
  id: string;
  role: string;
  datasetId: string;
}

/** The tags of an experiment, as its spec has them. */
export interface ExperimentTagsTable {
  tag: string;
  /** Of the experiment. */
  place: number;
}

export interface DatasetsTable {
  id: string;
  name: string;
  spec: JsonColumn<DatasetSpec>;
  /** Its name means it: false once it has failed, was superseded or deleted, or was found to be the same as its predecessor. */
  current: Generated<boolean>;
  /** The dataset that had the name before; null where it was free. */
  predecessor: Generated<string | null>;
  /** It is converted even where its identity is that of the predecessor. */
  forced: Generated<boolean>;
}

/** A result of a dataset as it was written: earlier builds did not say of what. */
export type StoredDatasetResult = DatasetFile &
  Pick<DatasetResult, 'description'> &
  Partial<Pick<DatasetResult, 'identity' | 'sameAs'>>;

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
  /** Null where its worker does not say. */
  libraries: NullableJsonColumn<LibraryVersions>;
  restoredFrom: string | null;
  rejectedCheckpoints: NullableJsonColumn<readonly RejectedCheckpoint[]>;
  /** What can be set while it trains, as it was at the start; null while it is not known. */
  hyperparameters: NullableJsonColumn<Hyperparameters>;
  /** Sequence number of the last event taken. */
  lastSeq: Generated<number>;
  /** By its worker's clock; some seconds old while it sends heartbeats alone. Null before the first sign. */
  lastHeardAt: Date | null;
  /** True when it said itself that it was over: nothing was written off. */
  saidEnd: Generated<boolean>;
  /** How many chunks of its log are small, and to be merged. */
  smallChunks: Generated<number>;
  /** Somebody wants it to give its machine back. */
  preemptRequested: Generated<boolean>;
}

export interface CheckpointsTable {
  id: string;
  fence: number;
  step: number;
  sizeBytes: number;
  at: Date;
}

/** Hyperparameters that somebody has had set, or has asked to be set, while an experiment trains. */
export interface HyperparameterSettingsTable {
  id: string;
  /** 1, 2, 3, … in each experiment: the order in which they are applied. */
  number: number;
  hyperparameters: JsonColumn<Hyperparameters>;
  at: Date;
  /** Batches done when it was applied; null while it was not. */
  step: number | null;
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
  /** Of its numbers, see `metrics/digest.ts`; null where they are so few that it would be no shorter, and in a record of an older version. */
  digest: Buffer | null;
}

/** What an experiment's log says under one name, of the rows that count: as {@link LogColumnsTable} has it, in the same transaction. */
export interface MetricsTable {
  id: string;
  name: string;
  count: number;
  /** How many of the values are NaN or infinite. */
  nonFinite: number;
  /** At the highest step. */
  last: number;
  lastStep: number;
  /** The smallest and the largest finite value, each at its first step; null when none is finite. */
  min: number | null;
  minStep: number | null;
  max: number | null;
  maxStep: number | null;
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

/** Which process leads; one row. */
export interface ControllerTable {
  only: Generated<boolean>;
  /** Raised by each leader; guards what it writes. */
  number: Generated<number>;
  holder: string | null;
  since: Date | null;
}

/** The leader's signs of life; one row. */
export interface ControllerBeatsTable {
  only: Generated<boolean>;
  /** Null when it has given up. */
  at: Date | null;
  /** It takes in workers' events. */
  flowing: Generated<boolean>;
}

/** Workers, as they report themselves and as the record wants them. */
export interface WorkersTable {
  id: string;
  kind: Kind;
  host: string;
  version: string;
  labels: JsonColumn<WorkerReport['labels']>;
  slots: number;
  threads: number;
  memoryBytes: number;
  devices: JsonColumn<WorkerReport['devices']>;
  engines: NullableJsonColumn<NonNullable<WorkerReport['engines']>>;
  /** As the record wants it. */
  status: WorkerStatus;
  statusReason: string | null;
  /** As the worker says it is. */
  reportedStatus: WorkerStatus;
  /** How many times its process was put into quarantine, as it says; 0 where it does not. */
  reportedQuarantines: number;
  attempts: JsonColumn<WorkerReport['attempts']>;
  /** False when nothing was heard of it for long, or it said goodbye. */
  alive: boolean;
  firstSeenAt: Date;
  lastSeenAt: Date;
}

/** Who changed what; never changed itself. */
export interface AuditTable {
  number: Generated<number>;
  at: Generated<Date>;
  actor: string;
  /** `submit`, `cancel`, `preempt`, `retry`, `pause`, `resume`, `change`, `delete`, `drain`, `write-off`, … */
  action: string;
  /** Id of the experiment, dataset or worker, or name of the program. */
  subject: string;
  before: NullableJsonColumn<JsonObject>;
  after: NullableJsonColumn<JsonObject>;
}

export type WorkerRow = Selectable<WorkersTable>;
export type LifeRow = Selectable<LivesTable>;
export type AttemptRow = Selectable<AttemptsTable>;
export type ExperimentRow = Selectable<ExperimentsTable>;
export type MetricRow = Selectable<MetricsTable>;
export type DatasetRow = Selectable<DatasetsTable>;
export type ProgramRow = Selectable<ProgramsTable>;
export type CheckpointRow = Selectable<CheckpointsTable>;
export type HyperparameterSettingRow = Selectable<HyperparameterSettingsTable>;
