/** `@longrun/platform/worker`: the worker's side alone. Loads nothing of the record, so that a worker is up sooner. */
export type { AbandonCause, Attempt, AttemptEnd, StopCause, Work } from './attempt.js';
export { Allowance } from './allowance.js';
export type { Pressure } from './pressure.js';
export { ControlGroups } from './control-groups.js';
export { logLine } from '../log-line.js';
export { classifyExit } from './exit-classification.js';
export { FileCache, type FileCacheOptions, type HeldFile, type WantedFile } from './file-cache.js';
export { HandoverRefused, openHandedOver } from './handed-over.js';
export { type ChildRoom, type ChildUserSetting, Isolation, type IsolationOptions, type Launch } from './isolation.js';
export { JobWorker, type JobWorkerOptions } from './job-worker.js';
export type { Beat } from './child-signs.js';
export { LineLimit, type LineLimitOptions } from './line-limit.js';
export { outcomeJson } from './outcome-json.js';
export { objectStoreFault, redisFault } from './reachability.js';
export { removeTree } from './remove-tree.js';
export { claimScratchFolder } from './scratch-folder.js';
export { NO_SECRETS, SecretMasks } from './secret-masks.js';
export { StallGuard, type StallGuardOptions } from './stall-guard.js';
export { ForeignStore, StorageFailed, type StorageRetryOptions, withStorageRetries } from './storage-retries.js';
export { type ChildExit, SupervisedChild, type SupervisedChildOptions } from './supervised-child.js';
export { describeWorker, type WorkerDescription } from './worker-description.js';
export { WallTime, type WallTimeOptions } from './wall-time.js';
export { WorkerLink, type WorkerLinkOptions } from './worker-link.js';
export {
  readWorkerConfiguration,
  runWorkerProcess,
  type WorkerConfiguration,
  type WorkerProcessOptions,
  type WorkMaker,
  type WorkPlace,
} from './worker-process.js';
