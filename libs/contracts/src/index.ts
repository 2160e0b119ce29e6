/** Schemas of everything that crosses a process. Each name is a zod schema and the type inferred from it. */
export { askedEngine, hasEngine } from './asked-engine.js';
export { assertNever } from './assert-never.js';
export { begunText, boundedFault } from './bounded-fault.js';
export {
  CheckpointFile,
  CheckpointFileQuery,
  CheckpointReference,
  CHECKPOINT_FILES,
  OutputList,
  ResultsQuery,
  CheckpointFinding,
  CheckpointTensors,
  CheckpointVerification,
  StoredCheckpointList,
  StoredCheckpointSummary,
  StoredCheckpointView,
} from './checkpoints.js';
export { BEAT_EVERY_MS, ChildSign, MESSAGES_FD, SIGNS_FD, Whereabouts, WHEREABOUTS_QUESTION } from './child-sign.js';
export {
  DatasetDescription,
  DatasetFile,
  DatasetIdentity,
  DatasetLimits,
  DatasetSource,
  DatasetSpec,
  type DatasetSpecInput,
  writtenDatasetSpec,
  SourceDescription,
} from './dataset-spec.js';
export { decodeText, type TextFault, textFaultWords } from './decode-text.js';
export { settingText } from './setting-text.js';
export { engineText } from './engine-text.js';
export { BestCheckpoints, CheckpointPolicy } from './checkpoint-policy.js';
export {
  DatasetRole,
  datasetsOf,
  ExperimentChange,
  ExperimentSpec,
  type ExperimentSpecInput,
  From,
  Limits,
  Resources,
  RetryBudget,
  MAX_TAGS,
} from './experiment-spec.js';
export { secretValue, VariableName } from './program-environment.js';
export { ExperimentExport, ExportedExperiment, ExportQuery, type ExportQueryInput } from './experiment-export.js';
export {
  DatasetQuery,
  type DatasetQueryInput,
  ExperimentList,
  ExperimentQuery,
  type ExperimentQueryInput,
  type ExperimentSort,
  ExperimentSummary,
  sortText,
} from './experiment-list.js';
export {
  type Fault,
  type FaultCode,
  type FaultOf,
  type FaultPlace,
  isFault,
  isValueFault,
  isRequestFault,
  type KnownFault,
  type ProblemKind,
  problemKinds,
  problemType,
  type RequestFault,
  type RequestProblemKind,
  type ServiceFault,
  ServicePart,
  type ValueFault,
} from './fault.js';
export {
  HyperparameterChange,
  Hyperparameters,
  HyperparameterSetting,
  HyperparameterSettingView,
  MAX_SETTINGS,
} from './hyperparameters.js';
export { DatasetId, ExperimentId, Fence, Kind, Moment, Sha256, SizeBytes, Step } from './ids.js';
export { JobTicket, ResolvedDataset, ResolvedExperiment, WorkerCommand } from './job.js';
export { Json, JsonObject, nestsTooDeep, StorableText, storableText } from './json.js';
export { Label, labelFaults } from './label.js';
export { EVENT_HEARTBEAT_HEADER, LiveEvent } from './live-event.js';
export {
  decodeNumber,
  encodeNumber,
  isWallClock,
  LogPage,
  LogQuery,
  LogRow,
  MAX_LOG_ROW_BYTES,
  NonFiniteCost,
  StoredLogRow,
} from './log-row.js';
export { DatasetOutcome, DatasetResult, ExperimentOutcome, ExperimentResult } from './outcome.js';
export { type MetricCondition, nameText, type Relation } from './metric-text.js';
export {
  Metric,
  MetricList,
  MetricName,
  MetricSeries,
  MetricSeriesList,
  SeriesListQuery,
  SeriesQuery,
} from './metrics.js';
export { LibraryChange, libraryChanges, libraryChangeText, LibraryVersions } from './library-versions.js';
export { ComparisonQuery, ExperimentComparison } from './comparison.js';
export { likestFirst, nearestWord } from './nearest-word.js';
export { jsonPointer, pointerPath, Problem, ProblemError } from './problem.js';
export {
  isHashPrefix,
  MAX_PROGRAM_BYTES,
  ProgramFile,
  programKey,
  ProgramList,
  ProgramListQuery,
  ProgramName,
  programReference,
  ProgramView,
  PublishQuery,
  shortProgram,
} from './program.js';
export { firstFaults, MAX_FAULTS, readValue, type Reading } from './read-value.js';
export { isFinalReason, ReasonCode, retryPolicy, type RetryRule } from './reason.js';
export { interruptions, restarts } from './restarts.js';
export { rule, textLike } from './rule.js';
export { DatasetStatus, ExperimentStatus, isActive, isTerminal, isTerminalDataset, Phase } from './status.js';
export { firstUnseen, hasUnseen, visibleIn, visibleJson, visibleLine, visibleText } from './visible-text.js';
export { type Words, wordsOf } from './words.js';
export { TrainerCommand, TrainerFailure, TrainerMessage } from './trainer.js';
export {
  AttemptView,
  CheckpointView,
  DatasetDryRun,
  DatasetList,
  DatasetSummary,
  DatasetView,
  ExperimentDryRun,
  ExperimentOrigin,
  ExperimentView,
  ListQuery,
  NextCursor,
} from './views.js';
export { DrainRequest, WorkerDevice, WorkerList, WorkerReport, WorkerStatus, WorkerView } from './worker.js';
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
