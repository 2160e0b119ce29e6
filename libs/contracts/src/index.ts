/** Schemas of everything that crosses a process. Each name is a zod schema and the type inferred from it. */
export { assertNever } from './assert-never.js';
export {
  DatasetDescription,
  DatasetFile,
  DatasetSource,
  DatasetSpec,
  type DatasetSpecInput,
  SourceDescription,
} from './dataset-spec.js';
export {
  CheckpointPolicy,
  Engine,
  ExperimentSpec,
  type ExperimentSpecInput,
  Resources,
  RetryBudget,
} from './experiment-spec.js';
export { DatasetId, ExperimentId, Fence, Kind, Moment, Sha256 } from './ids.js';
export { JobTicket, ResolvedDataset, ResolvedExperiment, WorkerCommand } from './job.js';
export { Json, JsonObject, StorableText, storableText } from './json.js';
export { LiveEvent } from './live-event.js';
export { decodeNumber, encodeNumber, LogRow, StoredLogRow } from './log-row.js';
export { DatasetOutcome, DatasetResult, ExperimentOutcome, ExperimentResult } from './outcome.js';
export { jsonPointer, Problem, ProblemError, problemErrors } from './problem.js';
export { isFinalReason, ReasonCode, retryPolicy, type RetryRule } from './reason.js';
export { DatasetStatus, ExperimentStatus, isActive, isTerminal, isTerminalDataset } from './status.js';
export { SnapshotFile, TrainerCommand, TrainerMessage } from './trainer.js';
export {
  AttemptView,
  CheckpointView,
  DatasetList,
  DatasetSummary,
  DatasetView,
  ExperimentList,
  ExperimentSummary,
  ExperimentView,
  ListQuery,
} from './views.js';
export { WorkerDevice, WorkerList, WorkerReport, WorkerStatus, WorkerView } from './worker.js';
export {
  DatasetEvent,
  DatasetProgress,
  EventEnvelope,
  ExperimentEvent,
  ExperimentProgress,
  isEphemeral,
  OutputStream,
  RejectedCheckpoint,
  WorkerEvent,
} from './worker-event.js';
