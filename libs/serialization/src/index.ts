export { assertNever } from './assert-never.js';
export { checkVersion, NewerState, StateMismatch } from './state.js';
export type { Json, Stateful, VersionedState } from './state.js';

export { dtypeBytes, isDType, ndarray, sizeOf, typedArrayConstructor } from './ndarray.js';
export type { DType, NdArray, TypedArrayConstructor, TypedArrayOf } from './ndarray.js';

export { RandomStream } from './random/random-stream.js';
export type { RandomStreamState, Shuffleable } from './random/random-stream.js';
export { RandomStreams } from './random/random-streams.js';
export type { RandomStreamsState } from './random/random-streams.js';

export { InvalidSafetensors } from './safetensors/header.js';
export { decodeSafetensors, encodeSafetensors, readSafetensors, writeSafetensors } from './safetensors/safetensors.js';
export type { Safetensors } from './safetensors/safetensors.js';

export {
  armFaultPoints,
  faultPoint,
  type FaultInHand,
  type FiredFault,
  readFired,
  withFault,
} from './fault-point/fault-point.js';
export { type Fault, type FaultAction, faultText, InjectedFault, parseFaults } from './fault-point/fault.js';
export { FAULT_POINTS, type FaultPoint, isFaultPoint } from './fault-point/points.js';

export { isDiskError } from './disk-error.js';
export { hashFile, makeFolder, readPieces, syncFolder, writeDurably } from './durable-file.js';
export type { WrittenFile } from './durable-file.js';
export { unlessAborted } from './unless-aborted.js';

export { InvalidKey } from './store/object-key.js';
export {
  ContentMismatch,
  DeletionFailed,
  ObjectAbsent,
  ObjectExists,
  PreconditionFailed,
  StoreUnfit,
} from './store/object-store.js';
export type {
  ByteRange,
  ExpectedContent,
  FailedDeletion,
  ListedObject,
  ObjectBody,
  ObjectFacts,
  ObjectStore,
  OperationOptions,
  PutOptions,
  ReadOptions,
  RegisterValue,
  StoreProbe,
  TransferOptions,
} from './store/object-store.js';
export { openObjectStore, type OpenStoreOptions } from './store/open-object-store.js';
export type { S3Credentials, S3Options } from './store/s3/s3-location.js';
export { StoreAround, type StoreOperation } from './store/store-around.js';
export { StoreStalled, WatchedStore, type WatchedStoreOptions } from './store/watched-store.js';

export { CheckpointStore, SnapshotChanged } from './checkpoint/checkpoint-store.js';
export type {
  CheckpointStoreOptions,
  NewestValid,
  RejectedCheckpoint,
  Snapshot,
  SnapshotFile,
} from './checkpoint/checkpoint-store.js';
export { HeadDamaged, readHead } from './checkpoint/head.js';
export type { CheckpointEntry, Head, RunLog } from './checkpoint/head.js';
export { acquireLease, Lease, LeaseLost, LeaseRefused } from './checkpoint/lease.js';
export type { LeaseClaim, LeaseRefusal } from './checkpoint/lease.js';
export type { Manifest, ManifestFile } from './checkpoint/manifest.js';
export { newestLog, newestManifest } from './checkpoint/manifests.js';

export type { LogFile } from './log/checkpoint-log.js';
export { encodeLogEntry } from './log/log-entry.js';
export type { LogEntry } from './log/log-entry.js';
export type { DamagedCopy, LogSegment } from './log/log-segment.js';
export { readLog } from './log/read-log.js';
export type { LogPart, ReadLogOptions } from './log/read-log.js';
