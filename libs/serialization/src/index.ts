export { assertNever } from './assert-never.js';
export { copyOfJson, countIn, countsIn, flagIn, NewerState, StateMismatch, stateIn, statesIn } from './state.js';
export type { Json, Stateful, StatefulIterator, VersionedState } from './state.js';
export { checkIdentity, naming, StateKind } from './state-kind.js';
export type { Migration, RegisteredMigration, StateHead, StateKindOptions } from './state-kind.js';

export { cast } from './cast.js';
export {
  copyOf,
  dtypeBytes,
  DTYPES,
  isDType,
  ndarray,
  sizeOf,
  typedArrayConstructor,
  uninitialized,
} from './ndarray.js';
export type { DType, NdArray, TypedArrayConstructor, TypedArrayOf } from './ndarray.js';

export type { ChoiceOptions } from './random/choice.js';
export { KeyedPermutation } from './random/keyed-permutation.js';
export { philox4x32 } from './random/philox.js';
export type { DrawnPosition } from './random/philox-numbers.js';
export { RandomAt, randomAt } from './random/random-at.js';
export type { RandomAtState, RandomPlace } from './random/random-at.js';
export { RandomKey } from './random/random-key.js';
export { RandomState } from './random/random-state.js';
export type { RandomStateState } from './random/random-state.js';
export { RandomStream } from './random/random-stream.js';
export type { RandomStreamState } from './random/random-stream.js';
export { RandomStreams } from './random/random-streams.js';
export type { RandomStreamsState } from './random/random-streams.js';
export type { Shuffleable } from './random/words.js';

export { accumulate } from './itertools/accumulate.js';
export { assertResumable, NotResumable } from './itertools/assert-resumable.js';
export type { AssertResumableOptions, Resumable } from './itertools/assert-resumable.js';
export { batched } from './itertools/batched.js';
export type { BatchedOptions } from './itertools/batched.js';
export { chain } from './itertools/chain.js';
export { combinationsWithReplacement } from './itertools/combinations-with-replacement.js';
export { combinations } from './itertools/combinations.js';
export { compress } from './itertools/compress.js';
export { count } from './itertools/count.js';
export { cycle } from './itertools/cycle.js';
export { dropWhile } from './itertools/drop-while.js';
export { equizip, IterableLengthMismatch } from './itertools/equizip.js';
export { filter, filterFalse } from './itertools/filter.js';
export type { Predicate } from './itertools/filter.js';
export { groupBy } from './itertools/group-by.js';
export type { Groups } from './itertools/group-by.js';
export { interleave, roundRobin } from './itertools/interleave.js';
export type { InterleaveOptions } from './itertools/interleave.js';
export { islice } from './itertools/islice.js';
export type { SliceBounds } from './itertools/islice.js';
export { iterate } from './itertools/iterate.js';
export type { Sequence, Source, Sources } from './itertools/iterate.js';
export { Itertool } from './itertools/itertool.js';
export { lines } from './itertools/lines.js';
export { map } from './itertools/map.js';
export { pairwise } from './itertools/pairwise.js';
export { partition, partitionAll } from './itertools/partition.js';
export { permutations } from './itertools/permutations.js';
export { product } from './itertools/product.js';
export { Range, range } from './itertools/range.js';
export type { RangeBounds } from './itertools/range.js';
export { repeat } from './itertools/repeat.js';
export { starMap } from './itertools/star-map.js';
export { takeWhile } from './itertools/take-while.js';
export { tee } from './itertools/tee.js';
export { zipLongest } from './itertools/zip-longest.js';
export { zip } from './itertools/zip.js';

export { InvalidSafetensors } from './safetensors/header.js';
export {
  InvalidBlocksCheckpoint,
  openBlocksParameters,
  readBlocksParameters,
} from './blocks-checkpoint/blocks-parameters.js';
export { InvalidNumpyFile } from './numpy/npy-header.js';
export { NpzFile, openNpz, readNpy, readNpz } from './numpy/npz-file.js';
export type { NpzOptions } from './numpy/npz-file.js';
export { openSafetensors, SafetensorsFile, TensorAbsent } from './safetensors/safetensors-file.js';
export type { TensorFacts } from './safetensors/safetensors-file.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  readSafetensors,
  safetensorsChunks,
  writeSafetensors,
} from './safetensors/safetensors.js';
export type { Safetensors } from './safetensors/safetensors.js';
export type { RowBlocks, StreamedTensor } from './safetensors/streamed-tensor.js';

export { namePattern, type NameSelection } from './partial-restore/name-selection.js';
export { nearestNames } from './partial-restore/nearest-names.js';
export { planRestore } from './partial-restore/restore-plan.js';
export type {
  IgnoredTensor,
  KeptTensor,
  Renaming,
  RestoredTensor,
  RestoreOptions,
  RestorePlan,
  WantedTensor,
} from './partial-restore/restore-plan.js';
export { type RestoreFault, RestoreRefused } from './partial-restore/restore-refused.js';
export { restoredValue } from './partial-restore/restored-value.js';
export { openTensors, tensorsInMemory, UnknownTensorFile } from './partial-restore/tensor-source.js';
export type { TensorFile, TensorSource } from './partial-restore/tensor-source.js';

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

export { DiskFailed, isDiskError, isDiskFull, onDisk } from './disk-error.js';
export { hashFile, makeFolder, readPieces, syncFile, syncFolder, writeDurably, writeWhole } from './durable-file.js';
export type { WrittenFile } from './durable-file.js';
export { HashBehind } from './hash-behind.js';
export { isSameOpenFile, linkOpenFile } from './same-file.js';
export type { BytesSource, StoredObject } from './ranged-bytes.js';
export { unlessAborted } from './unless-aborted.js';

export { InvalidKey } from './store/object-key.js';
export {
  ContentMismatch,
  DeletionFailed,
  ObjectAbsent,
  ObjectExists,
  PreconditionFailed,
  RegisterDamaged,
  StoreUnfit,
} from './store/object-store.js';
export type {
  ByteRange,
  ExpectedContent,
  FailedDeletion,
  ListedObject,
  ObjectBody,
  ObjectFacts,
  ObjectReading,
  ObjectStore,
  OperationOptions,
  PutOptions,
  ReadOptions,
  RegisterValue,
  StoreProbe,
  TransferOptions,
} from './store/object-store.js';
export { maskedUrl } from './store/masked-url.js';
export { openObjectStore, openObjectStoreToRead, type OpenStoreOptions } from './store/open-object-store.js';
export { S3Failed } from './store/s3/s3-requests.js';
export type { S3Credentials, S3Options } from './store/s3/s3-location.js';
export { StoreAround, type StoreOperation } from './store/store-around.js';
export { TemporaryFiles } from './store/temporary-files.js';
export { StoreStalled, WatchedStore, type WatchedStoreOptions } from './store/watched-store.js';

export { CheckpointAbsent, CheckpointReader, namesIn } from './checkpoint/checkpoint-reader.js';
export type { CheckpointListing, ListedCheckpoint, StoredCheckpoint } from './checkpoint/checkpoint-reader.js';
export { compareCheckpoints } from './checkpoint/comparison.js';
export type { Comparison, FileComparison, TensorComparison, ValueComparison } from './checkpoint/comparison.js';
export { exportFile, exportFiles, ExportFailed, ExportRefused } from './checkpoint/export.js';
export { canonicalJson } from './canonical-json.js';
export { cleanEnded } from './checkpoint/clean-ended.js';
export { CheckpointStore } from './checkpoint/checkpoint-store.js';
export { StoreFull } from './checkpoint/store-full.js';
export type { CheckpointStoreOptions, NewestValid, RejectedCheckpoint } from './checkpoint/checkpoint-store.js';
export { HeadDamaged, isReleased, readHead } from './checkpoint/head.js';
export type { CheckpointEntry, Head, Hold, RunLog } from './checkpoint/head.js';
export { FORK_FENCE, type Fork, forkCheckpoint } from './checkpoint/fork.js';
export { holdCheckpoint, PIN, releaseCheckpoint, TooManyHolds, withPresentHolds } from './checkpoint/holds.js';
export { acquireLease, Lease, LeaseLost, LeaseRefused, reopenLease } from './checkpoint/lease.js';
export type { LeaseClaim, LeaseLoss, LeaseRefusal } from './checkpoint/lease.js';
export type { LocalFiles } from './checkpoint/local-files.js';
export { blobKeysOf } from './checkpoint/manifest.js';
export type { CheckpointOrigin, Manifest, ManifestFile } from './checkpoint/manifest.js';
export { newestLog, newestManifest } from './checkpoint/manifests.js';
export { CorruptManifest } from './checkpoint/manifest.js';
export { removeRun, type Tombstone } from './checkpoint/removal.js';
export { CorruptBlob } from './checkpoint/stored-files.js';
export { tensorsOf } from './checkpoint/stored-tensors.js';
export type { StoredTensors } from './checkpoint/stored-tensors.js';
export { Verification } from './checkpoint/verification.js';
export type { DamagedObject, RemovedCheckpoint, Verified, VerifiedCheckpoint } from './checkpoint/verification.js';
export type { BestPolicy, RetentionPolicy } from './checkpoint/retention.js';
export { readSnapshotFile, SnapshotChanged } from './checkpoint/snapshot.js';
export type { ReadSnapshotFile, Snapshot, SnapshotFile } from './checkpoint/snapshot.js';

export { encodeLogEntry } from './log/log-entry.js';
export type { LogEntry } from './log/log-entry.js';
export { readLogFiles } from './log/log-file.js';
export type { LogFile } from './log/log-file.js';
export type { DamagedCopy, LogSegment } from './log/log-segment.js';
export { readLog } from './log/read-log.js';
export type { LogPart, ReadLogOptions } from './log/read-log.js';
