/** The life of experiments and datasets: record, queues, events, scheduler, reconciler. See README.md. */
export type { StoredEvent } from './life/changes.js';
export { leasePrefix } from './life/outcome.js';
export { Platform, type PlatformHealth, type PlatformOptions, type PlatformRole, startPlatform } from './platform.js';
export {
  type ParamsVerdict,
  ProgramBroken,
  type ProgramFacts,
  type ProgramHost,
  type ProgramModule,
} from './requests/program-host.js';
export { Programs, type Publication, type PublishedProgram } from './requests/programs.js';
export { type QueueSettings, queueSettings, type QueueSettingsInput } from './queue/queue-settings.js';
export type { JobContext, JobHandler, JobTaker } from './queue/take-jobs.js';
export type { RecordLocation } from './record/record.js';
export type { Warn } from './redis/connection.js';
export { DEFAULT_PREFIX } from './redis/keys.js';
export { checkRedis, type RedisFlaw, type RedisVerdict } from './redis/redis-check.js';
export { RequestRefused } from './requests/request-refused.js';
export { ObjectsUnreachable } from './requests/asked-store.js';
export { Checkpoints, type CheckpointsOptions, type FileRequest } from './requests/checkpoints.js';
export type { StoredFile } from './requests/stored-file.js';
export { Comparisons } from './requests/comparisons.js';
export type { KnownConverter } from './requests/known-converter.js';
export { Datasets, type SubmittedDataset } from './requests/datasets.js';
export type { IngestCounts } from './systems/event-ingester.js';
export { Experiments, type SubmittedExperiment } from './requests/experiments.js';
export type { ListOptions } from './requests/experiment-list.js';
export type { SubmitOptions } from './requests/submissions.js';
export { Verbs, type VerbsOptions } from './requests/verbs.js';
export { type Timings, timings, type TimingsInput } from './timings.js';
export type { AbandonCause, Attempt, AttemptEnd, StopCause, Work } from './worker/attempt.js';
export { EventOutbox } from './worker/event-outbox.js';
export type { Pressure } from './worker/pressure.js';
export { classifyExit } from './worker/exit-classification.js';
export { JobWorker, type JobWorkerOptions } from './worker/job-worker.js';
export { outcomeJson } from './worker/outcome-json.js';
export { claimScratchFolder } from './worker/scratch-folder.js';
export { StorageFailed, type StorageRetryOptions, withStorageRetries } from './worker/storage-retries.js';
export { type ChildExit, SupervisedChild, type SupervisedChildOptions } from './worker/supervised-child.js';
export { describeWorker, type WorkerDescription } from './worker/worker-description.js';
export { WorkerLink, type WorkerLinkOptions } from './worker/worker-link.js';
export {
  readWorkerConfiguration,
  runWorkerProcess,
  type WorkerConfiguration,
  type WorkerProcessOptions,
} from './worker/worker-process.js';
