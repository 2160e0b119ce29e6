import { type FileHandle, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { faultPoint } from '../fault-point/fault-point.js';
import { hashFile, makeFolder, type WrittenFile } from '../durable-file.js';
import { CheckpointLog, type LogFile } from '../log/checkpoint-log.js';
import type { LogSegment } from '../log/log-segment.js';
import type { Json } from '../state.js';
import { ContentMismatch, type ObjectStore } from '../store/object-store.js';
import { unlessAborted } from '../unless-aborted.js';
import { type Dropped, Garbage } from './garbage.js';
import { type CheckpointEntry, type Head, readHead, sameCheckpoints } from './head.js';
import { checkOutcome, type Lease } from './lease.js';
import { checkFileName, CorruptManifest, type Manifest, type ManifestFile } from './manifest.js';
import { Manifests } from './manifests.js';

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

/** A finished snapshot on the local disk, to be committed. Its files must not change until then. */
export interface Snapshot {
  /** Batches done: an integer of 0 or more. */
  readonly step: number;
  readonly files: readonly SnapshotFile[];
  /** The numeric environment that made it. */
  readonly environment: Json;
  /**
   * The log rows that are new since the last snapshot whose commit has succeeded, in the order of arrival. A commit that is tried
   * again gets the same ones again. Default: none.
   */
  readonly log?: readonly LogFile[] | undefined;
}

export interface CheckpointStoreOptions {
  /** How many of the newest checkpoints are kept: 1 or more. Default 3. */
  readonly keepLast?: number;
  /** Told when old bytes could not be removed after a commit; the next commit tries again. Default: nobody is. */
  readonly onGarbageLeft?: (error: unknown) => void;
}

/** A checkpoint that could not be used. */
export interface RejectedCheckpoint {
  readonly manifestKey: string;
  readonly step: number;
  /** A sentence that says what is wrong with which file. */
  readonly reason: string;
}

/** The newest checkpoint that is whole, if there is one, and the newer ones that are not. */
export type NewestValid =
  | { readonly manifest: Manifest; readonly folder: string; readonly rejected: readonly RejectedCheckpoint[] }
  | { readonly manifest: undefined; readonly folder?: undefined; readonly rejected: readonly RejectedCheckpoint[] };

/**
 * The checkpoints under a prefix, such as `experiments/<id>`. A checkpoint is real only when the head names it: blobs and log
 * are written first, then the manifest, then the head, and only then are older ones removed.
 */
export class CheckpointStore {
  readonly prefix: string;
  readonly keepLast: number;
  readonly #store: ObjectStore;
  readonly #rejected = new Set<string>();
  readonly #manifests: Manifests;
  readonly #log: CheckpointLog;
  readonly #garbage: Garbage;
  readonly #onGarbageLeft: (error: unknown) => void;
  #basis: LogBasis | undefined;

  constructor(store: ObjectStore, prefix: string, options: CheckpointStoreOptions = {}) {
    this.#store = store;
    this.prefix = prefix;
    this.#manifests = new Manifests(store, prefix);
    this.#log = new CheckpointLog(store, prefix);
    this.#garbage = new Garbage(store, prefix, this.#manifests);
    this.#onGarbageLeft = options.onGarbageLeft ?? (() => undefined);
    this.keepLast = options.keepLast ?? 3;
    if (!Number.isInteger(this.keepLast) || this.keepLast < 1) {
      throw new RangeError(`CheckpointStore ${prefix}: keepLast is ${this.keepLast}; give an integer of 1 or more`);
    }
  }

  /**
   * Makes a snapshot the newest checkpoint. Once the promise resolves it survives anything the store survives; a process that dies
   * before leaves the previous checkpoints as they were.
   *
   * A checkpoint of the same step and fence is replaced. Those that {@link newestValid} has rejected are dropped, and so is the log
   * that {@link keepLog} has kept of an earlier attempt. A failure to remove old bytes is not an error: the next commit tries again.
   *
   * Its log is that of the checkpoint it goes on from, and then that of the snapshot: it goes on from the last one that was
   * committed here under this lease or that {@link newestValid} has found since; where there is neither, from the newest.
   *
   * @param options.outcome Ends the experiment in the same compare-and-set.
   * @param options.signal Aborted while files are being written, they are not waited for: it throws the reason, and nothing has changed.
   * @throws LeaseLost if another has taken the lease or it has ended; then nothing has changed.
   * @throws SnapshotChanged if a file is not what it was announced as; then nothing has changed either.
   */
  async commit(
    lease: Lease,
    snapshot: Snapshot,
    options: { readonly outcome?: Json; readonly signal?: AbortSignal } = {},
  ): Promise<Manifest> {
    this.#checkPrefix(lease);
    const { outcome, signal } = options;
    if (outcome !== undefined) checkOutcome(this.prefix, outcome);
    checkSnapshot(snapshot);
    return lease.exclusive(async () => {
      lease.checkOpen();
      const { segments } = (this.#basis = await this.#basisUnder(lease));
      const files = await this.#writeBlobs(lease, snapshot.files, signal);
      await faultPoint('commit.blobs-written');
      const extended = await this.#log.extend(segments, lease.fence, snapshot.log ?? []);
      await faultPoint('commit.log-written');
      const manifest: Manifest = {
        version: 2,
        step: snapshot.step,
        fence: lease.fence,
        createdAt: new Date().toISOString(),
        environment: snapshot.environment,
        files,
        log: extended,
      };
      const entry = await this.#manifests.write(manifest);
      await faultPoint('commit.manifest-written');
      const dropped = new Map<string, CheckpointEntry>();
      const { log } = lease.head();
      await lease.write((head) => {
        const checkpoints = this.#retained(head, entry);
        for (const older of head.checkpoints) dropped.set(older.manifestKey, older);
        for (const { manifestKey } of checkpoints) dropped.delete(manifestKey);
        return { checkpoints, log: null, outcome: outcome ?? head.outcome };
      });
      this.#basis = { fence: lease.fence, segments: manifest.log };
      await faultPoint('commit.head-swapped');
      await this.#collect({ checkpoints: dropped.values(), log }, lease);
      await faultPoint('commit.collected');
      await this.#log.mendNext(manifest.log);
      return manifest;
    });
  }

  /**
   * Keeps the log of an attempt that ends without another checkpoint: that of the one it has written last or gone on from, and then
   * `files`. The head names it until a later attempt commits a checkpoint or keeps its own; if there is no later one it stays.
   * Checkpoints are left as they are, and a damaged log keeps nobody from anything.
   *
   * @param files The rows since the last snapshot whose commit has succeeded, as those of a snapshot. With none there is nothing to
   * keep, and what an earlier attempt kept goes all the same: this one has gone another way
   * @throws LeaseLost if another has taken the lease or it has ended; then nothing has changed.
   */
  async keepLog(lease: Lease, files: readonly LogFile[]): Promise<void> {
    this.#checkPrefix(lease);
    return lease.exclusive(async () => {
      lease.checkOpen();
      const dropped = lease.head().log;
      if (files.length === 0 && dropped === null) return;
      const { segments } = (this.#basis = await this.#basisUnder(lease));
      const log = await this.#log.extend(segments, lease.fence, files);
      const hasMore = rowsIn(log) > rowsIn(segments);
      if (!hasMore && dropped === null) return;
      await faultPoint('keep-log.written');
      const kept = hasMore ? { fence: lease.fence, createdAt: new Date().toISOString(), log } : null;
      await lease.write((head) => ({ ...head, log: kept }));
      await faultPoint('keep-log.head-swapped');
      await this.#collect({ checkpoints: [], log: dropped }, lease);
    });
  }

  /**
   * Copies the newest checkpoint that is whole to a folder of its own under `toFolder`, every file checked against the SHA-256 that
   * was committed. Where the newest is damaged the one before it is taken, and so on; the damaged ones are reported.
   *
   * @throws StateMismatch if a newer build has written the checkpoint; any error of the store. These say nothing about the
   * checkpoint, so no older one is taken.
   */
  async newestValid(toFolder: string): Promise<NewestValid> {
    for (;;) {
      const head = await readHead(this.#store, this.prefix);
      const found = await this.#newestOf(head?.checkpoints ?? [], toFolder);
      // Whoever holds the lease may have removed what the head named when it was read.
      if (found.rejected.length > 0 && !sameCheckpoints(head, await readHead(this.#store, this.prefix))) continue;
      for (const { manifestKey } of found.rejected) this.#rejected.add(manifestKey);
      this.#basis = { fence: undefined, segments: found.manifest?.log ?? [] };
      return found;
    }
  }

  #checkPrefix(lease: Lease): void {
    if (lease.prefix === this.prefix) return;
    throw new RangeError(
      `CheckpointStore ${this.prefix}: the lease is that of ${lease.prefix}; give that of ${this.prefix}`,
    );
  }

  async #collect(dropped: Dropped, lease: Lease): Promise<void> {
    await this.#garbage.collect(dropped, lease.head()).catch(this.#onGarbageLeft);
  }

  /** The log that a commit adds to. */
  async #basisUnder(lease: Lease): Promise<LogBasis> {
    const { fence } = lease;
    // Kept before the commit is tried: tried again, it must not find itself in the head, its answer having been lost.
    if (this.#basis !== undefined && (this.#basis.fence ?? fence) === fence) return { ...this.#basis, fence };
    for (const entry of lease.head().checkpoints) {
      const manifest = this.#rejected.has(entry.manifestKey) ? undefined : await this.#manifests.find(entry);
      if (manifest !== undefined) return { fence, segments: manifest.log };
    }
    return { fence, segments: [] };
  }

  async #newestOf(entries: readonly CheckpointEntry[], toFolder: string): Promise<NewestValid> {
    const rejected: RejectedCheckpoint[] = [];
    for (const entry of entries) {
      const { manifestKey, step } = entry;
      const folder = path.join(toFolder, path.basename(manifestKey, '.json'));
      await rm(folder, { recursive: true, force: true });
      try {
        const manifest = await this.#manifests.read(entry);
        await this.#downloadFiles(manifest, folder);
        return { manifest, folder, rejected };
      } catch (error) {
        if (!(error instanceof CorruptManifest || error instanceof CorruptBlob)) throw error;
        await rm(folder, { recursive: true, force: true });
        rejected.push({ manifestKey, step, reason: error.message });
      }
    }
    return { manifest: undefined, rejected };
  }

  async #downloadFiles(manifest: Manifest, folder: string): Promise<void> {
    await makeFolder(path.resolve(folder));
    for (const { name, blobKey, sha256, sizeBytes } of manifest.files) {
      const got = await this.#store.download(blobKey, path.join(folder, name));
      if (got === undefined) throw new CorruptBlob(`file ${name} is missing: there is no object ${blobKey}`);
      if (got.sizeBytes !== sizeBytes) {
        throw new CorruptBlob(
          `file ${name} has ${got.sizeBytes} bytes but ${sizeBytes} were committed (object ${blobKey})`,
        );
      }
      if (got.sha256 !== sha256) {
        throw new CorruptBlob(
          `file ${name} has SHA-256 ${got.sha256} but ${sha256} was committed (object ${blobKey}): its bytes have changed`,
        );
      }
    }
  }

  async #writeBlobs(
    lease: Lease,
    files: readonly SnapshotFile[],
    signal: AbortSignal | undefined,
  ): Promise<ManifestFile[]> {
    const blobs = await this.#reusableBlobs(lease.head());
    const written: ManifestFile[] = [];
    for (const file of files) {
      await checkSize(file);
      const sha256 = file.sha256 ?? (await hashFile(file.handle ?? file.path, file.sizeBytes)).sha256;
      const known = blobs.get(sha256);
      const blobKey = known ?? `${this.prefix}/blobs/${lease.fence}/${sha256}`;
      const { sizeBytes } = await unlessAborted(signal, async () =>
        known === undefined ? await this.#writeBlob(blobKey, file, sha256, signal) : await unchanged(file, sha256),
      );
      blobs.set(sha256, blobKey);
      written.push({ name: file.name, blobKey, sha256, sizeBytes });
    }
    return written;
  }

  /** What was written is what counts: whoever made the file may write to it still. */
  async #writeBlob(
    blobKey: string,
    file: SnapshotFile,
    sha256: string,
    signal: AbortSignal | undefined,
  ): Promise<WrittenFile> {
    const { path: source, handle, sizeBytes } = file;
    const body = handle === undefined ? { path: source, mostBytes: sizeBytes } : { handle, mostBytes: sizeBytes };
    try {
      return await this.#store.put(blobKey, body, { expected: { sizeBytes, sha256 }, signal });
    } catch (error) {
      if (error instanceof ContentMismatch) throw changed(file, sha256, error.found);
      throw error;
    }
  }

  /** Keys, by SHA-256, of the blobs that may be named again: only those that the head keeps alive. */
  async #reusableBlobs(head: Head): Promise<Map<string, string>> {
    const blobs = new Map<string, string>();
    for (const entry of head.checkpoints) {
      if (this.#rejected.has(entry.manifestKey)) continue;
      const manifest = await this.#manifests.find(entry);
      for (const { sha256, blobKey } of manifest?.files ?? []) blobs.set(sha256, blobKey);
    }
    return blobs;
  }

  #retained(head: Head, entry: CheckpointEntry): CheckpointEntry[] {
    const replaced = `${this.prefix}/checkpoints/${entry.step}-${head.fence}`;
    const older = head.checkpoints.filter(
      ({ manifestKey }) =>
        !this.#rejected.has(manifestKey) &&
        manifestKey !== `${replaced}.json` &&
        !manifestKey.startsWith(`${replaced}-`),
    );
    return [entry, ...older].slice(0, this.keepLast);
  }
}

/** The log of the checkpoint that training goes on from. */
interface LogBasis {
  /** Under which it is true; undefined: under any. */
  readonly fence: number | undefined;
  readonly segments: readonly LogSegment[];
}

function rowsIn(segments: readonly LogSegment[]): number {
  return segments.reduce((sum, { rows }) => sum + rows, 0);
}

class CorruptBlob extends Error {
  override readonly name = 'CorruptBlob';
}

function checkSnapshot({ step, files }: Snapshot): void {
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

/** A file of a snapshot is not what it was announced as: no other try will make it so. */
export class SnapshotChanged extends Error {
  override readonly name = 'SnapshotChanged';
}

/** A file that is larger than it was announced could be so by any measure: it is not read to find out. */
async function checkSize({ path: source, handle, sizeBytes }: SnapshotFile): Promise<void> {
  if (sizeBytes === undefined) return;
  const { size } = await (handle?.stat() ?? stat(source));
  if (size === sizeBytes) return;
  throw new SnapshotChanged(
    `snapshot file ${source} has ${size} bytes but was announced with ${sizeBytes} bytes; ${LEAVE_ALONE}`,
  );
}

async function unchanged(file: SnapshotFile, sha256: string): Promise<WrittenFile> {
  const found = await hashFile(file.handle ?? file.path, file.sizeBytes);
  if (found.sha256 !== sha256 || found.sizeBytes !== (file.sizeBytes ?? found.sizeBytes)) {
    throw changed(file, sha256, found);
  }
  return found;
}

function changed({ path: source, sizeBytes }: SnapshotFile, sha256: string, found?: WrittenFile): SnapshotChanged {
  const has = found === undefined ? 'more bytes' : `${found.sizeBytes} bytes with SHA-256 ${found.sha256}`;
  return new SnapshotChanged(
    `snapshot file ${source} has ${has} but was announced with ${sizeBytes ?? found?.sizeBytes ?? 'so many'} bytes and ${sha256}; ` +
      LEAVE_ALONE,
  );
}

const LEAVE_ALONE = 'leave a snapshot alone until it is committed';
