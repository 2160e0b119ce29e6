import { type FileHandle, stat } from 'node:fs/promises';

import { hashFile, type WrittenFile } from '../durable-file.js';
import { HashBehind } from '../hash-behind.js';
import type { LogFile } from '../log/log-file.js';
import type { Json } from '../state.js';
import type { ObjectStore, OperationOptions } from '../store/object-store.js';
import { checkFileName, type CheckpointOrigin, type Manifest } from './manifest.js';

/** A file of a snapshot on the local disk. */
export interface SnapshotFile {
  /** What it is called in the checkpoint: a plain file name. */
  readonly name: string;
  readonly path: string;
  /** If given, what is read, whatever lies at `path` by then. Left open. */
  readonly handle?: FileHandle;
  /** If given, the file must still have it when it is committed. */
  readonly sha256?: string;
  readonly sizeBytes?: number;
}

/**
 * A file of a snapshot that was read by its handle, while it was written or since. Nobody writes to it any more, and a store may have it for
 * its own instead of a copy.
 */
export interface ReadSnapshotFile extends SnapshotFile {
  readonly handle: FileHandle;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly isGiven: true;
  /** When it had been written last before it was read to its end, in ns since 1970. */
  readonly mtimeNs: bigint;
}

/**
 * Reads a file of a snapshot that was opened and gives it to be committed, so that a store on the same disk need neither read nor write it
 * again. For such a store its bytes go to the disk meanwhile.
 *
 * @param file With its size it is not read beyond it.
 * @param options.begun What has read it by the same handle while it was written: what was changed behind it is not seen. Default: nothing has
 * @param options.signal Aborted, it is not read to its end
 * @throws SnapshotChanged if it is not what it was announced as; the reason of the signal
 */
export async function readSnapshotFile(
  file: SnapshotFile & { readonly handle: FileHandle },
  { takesFiles }: Pick<ObjectStore, 'takesFiles'>,
  { begun, signal }: { readonly begun?: HashBehind | undefined } & OperationOptions = {},
): Promise<ReadSnapshotFile> {
  await checkSize(file);
  const { handle } = file;
  const { mtimeNs } = await handle.stat({ bigint: true });
  const found = await (begun ?? new HashBehind(handle, { isSynced: takesFiles })).rest(file.sizeBytes, { signal });
  const { sha256 = found.sha256, sizeBytes = found.sizeBytes } = file;
  if (found.sizeBytes !== sizeBytes || found.sha256 !== sha256) throw changed(file, sha256, found);
  return { ...file, ...found, isGiven: true, mtimeNs };
}

/** A finished snapshot on the local disk, to be committed. Its files must not change until then, and those that are given never again. */
export interface Snapshot extends Pick<Manifest, 'programSha256' | 'datasets' | 'libraries'> {
  /** Batches done: an integer of 0 or more. */
  readonly step: number;
  readonly files: readonly (SnapshotFile | ReadSnapshotFile)[];
  /** The numeric environment that made it. */
  readonly environment: Json;
  /** Of which checkpoint of another run this one began. Default: of none. */
  readonly from?: CheckpointOrigin | undefined;
  /**
   * The log rows that are new since the last snapshot whose commit has succeeded, in the order of arrival. A commit that is tried
   * again gets the same ones again. Default: none.
   */
  readonly log?: readonly LogFile[] | undefined;
  /** How good it is, for `keepBest`; what is not finite is never the best. Default: not known, or as it was when this step was committed before. */
  readonly score?: number | undefined;
  /** How good the checkpoint before turned out to be, where that was not known yet when it was committed: its step, and its score in place of what it had. */
  readonly scoreBefore?: { readonly step: number; readonly score: number } | undefined;
}

/** A file of a snapshot is not what it was announced as: no other try will make it so. */
export class SnapshotChanged extends Error {
  override readonly name = 'SnapshotChanged';
}

/** Checks step and names. @throws RangeError */
export function checkSnapshot({ step, files }: Snapshot): void {
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new RangeError(`snapshot: step is ${step}; give the number of batches done, an integer of 0 or more`);
  }
  const names = new Set<string>();
  for (const { name } of files) {
    checkFileName(name);
    if (names.has(name))
      throw new RangeError(`snapshot of step ${step}: two files are named ${name}; give each a name of its own`);
    names.add(name);
  }
}

/**
 * The size of a file in bytes. One that is larger than it was announced could be so by any measure: it is not read to find out.
 *
 * @throws SnapshotChanged
 */
export async function checkSize({ path: source, handle, sizeBytes }: SnapshotFile): Promise<number> {
  const { size } = await (handle?.stat() ?? stat(source));
  if (sizeBytes === undefined || size === sizeBytes) return size;
  throw new SnapshotChanged(
    `snapshot file ${source} has ${size} bytes but was announced with ${sizeBytes} bytes; ${LEAVE_ALONE}`,
  );
}

/** Reads a file that is not written anew, unless that was done. @throws SnapshotChanged if it is not what it was announced as */
export async function unchanged(file: SnapshotFile | ReadSnapshotFile, sha256: string): Promise<WrittenFile> {
  if ('isGiven' in file) return file;
  const found = await hashFile(file.handle ?? file.path, file.sizeBytes);
  if (found.sha256 !== sha256 || found.sizeBytes !== (file.sizeBytes ?? found.sizeBytes)) {
    throw changed(file, sha256, found);
  }
  return found;
}

/** What is said of a file that is not what it was announced as. */
export function changed(
  { path: source, sizeBytes }: SnapshotFile,
  sha256: string,
  found?: WrittenFile,
): SnapshotChanged {
  const has = found === undefined ? 'more bytes' : `${found.sizeBytes} bytes with SHA-256 ${found.sha256}`;
  return new SnapshotChanged(
    `snapshot file ${source} has ${has} but was announced with ${sizeBytes ?? found?.sizeBytes ?? 'so many'} bytes and ${sha256}; ` +
      LEAVE_ALONE,
  );
}

const LEAVE_ALONE = 'leave a snapshot alone until it is committed';
