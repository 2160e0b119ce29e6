import { rm } from 'node:fs/promises';
import path from 'node:path';

import { hashFile, makeFolder } from '../durable-file.js';
import type { Json } from '../state.js';
import { ObjectExists } from '../store/object-store.js';
import type { ObjectStore } from '../store/object-store.js';
import { readHead } from './head.js';
import type { CheckpointEntry, Head } from './head.js';
import { checkOutcome } from './lease.js';
import type { Lease } from './lease.js';
import { checkFileName, CorruptManifest, decodeManifest, encodeManifest } from './manifest.js';
import type { Manifest, ManifestFile } from './manifest.js';

/** A file of a snapshot on the local disk. */
export interface SnapshotFile {
  /** What it is called in the checkpoint: a plain file name. */
  readonly name: string;
  readonly path: string;
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
}

export interface CheckpointStoreOptions {
  /** How many of the newest checkpoints are kept: 1 or more. Default 3. */
  readonly keepLast?: number;
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
 * The checkpoints under a prefix, such as `experiments/<id>`. A checkpoint is real only when the head names it: blobs are
 * written first, then the manifest, then the head, and only then are older ones removed.
 */
export class CheckpointStore {
  readonly keepLast: number;
  readonly #rejected = new Set<string>();
  readonly #manifests = new Map<string, Manifest>();
  readonly #garbage = new Set<string>();

  constructor(
    private readonly store: ObjectStore,
    readonly prefix: string,
    options: CheckpointStoreOptions = {},
  ) {
    this.keepLast = options.keepLast ?? 3;
    if (!Number.isInteger(this.keepLast) || this.keepLast < 1) {
      throw new RangeError(`CheckpointStore ${prefix}: keepLast is ${this.keepLast}; give an integer of 1 or more`);
    }
  }

  /**
   * Makes a snapshot the newest checkpoint. Once the promise resolves it survives anything the store survives; a process that dies
   * before leaves the previous checkpoints as they were.
   *
   * A checkpoint of the same step and epoch is replaced. Those that {@link newestValid} has rejected are dropped. A failure to
   * remove old bytes is not an error: the next commit tries again.
   *
   * @param options.outcome Ends the experiment in the same compare-and-set.
   * @throws LeaseLost if another has taken the lease or it has ended; then nothing has changed.
   */
  async commit(lease: Lease, snapshot: Snapshot, options: { readonly outcome?: Json } = {}): Promise<Manifest> {
    if (lease.prefix !== this.prefix) {
      throw new RangeError(
        `CheckpointStore ${this.prefix}: the lease is that of ${lease.prefix}; give that of ${this.prefix}`,
      );
    }
    const { outcome } = options;
    if (outcome !== undefined) checkOutcome(this.prefix, outcome);
    checkSnapshot(snapshot);
    return lease.exclusive(async () => {
      lease.checkOpen();
      const before = lease.head();
      const files = await this.writeBlobs(lease.epoch, snapshot.files, await this.reusableBlobs(before));
      const manifest: Manifest = {
        version: 1,
        step: snapshot.step,
        epoch: lease.epoch,
        createdAt: new Date().toISOString(),
        environment: snapshot.environment,
        files,
      };
      const entry = await this.writeManifest(manifest);
      await lease.write((head) => ({
        checkpoints: this.retained(head, entry, manifest),
        outcome: outcome ?? head.outcome,
      }));
      await this.collect(before, lease.head());
      return manifest;
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
      const head = await readHead(this.store, this.prefix);
      const found = await this.newestOf(head?.checkpoints ?? [], toFolder);
      // Whoever holds the lease may have removed what the head named when it was read.
      if (found.rejected.length > 0 && !sameCheckpoints(head, await readHead(this.store, this.prefix))) continue;
      for (const { manifestKey } of found.rejected) this.#rejected.add(manifestKey);
      return found;
    }
  }

  private async newestOf(entries: readonly CheckpointEntry[], toFolder: string): Promise<NewestValid> {
    const rejected: RejectedCheckpoint[] = [];
    for (const { manifestKey, sha256, step } of entries) {
      const folder = path.join(toFolder, path.basename(manifestKey, '.json'));
      await rm(folder, { recursive: true, force: true });
      try {
        const manifest = await this.readManifest(manifestKey, sha256);
        await this.downloadFiles(manifest, folder);
        return { manifest, folder, rejected };
      } catch (error) {
        if (!(error instanceof CorruptManifest || error instanceof CorruptBlob)) throw error;
        await rm(folder, { recursive: true, force: true });
        rejected.push({ manifestKey, step, reason: error.message });
      }
    }
    return { manifest: undefined, rejected };
  }

  private async downloadFiles(manifest: Manifest, folder: string): Promise<void> {
    await makeFolder(path.resolve(folder));
    for (const { name, blobKey, sha256, sizeBytes } of manifest.files) {
      const got = await this.store.download(blobKey, path.join(folder, name));
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

  /** Blobs by SHA-256 that may be named again: only those that the head keeps alive. */
  private async reusableBlobs(head: Head): Promise<ReadonlyMap<string, string>> {
    const blobs = new Map<string, string>();
    for (const { manifestKey, sha256 } of head.checkpoints) {
      if (this.#rejected.has(manifestKey)) continue;
      const manifest = await this.readManifest(manifestKey, sha256).catch(corrupt);
      for (const file of manifest?.files ?? []) blobs.set(file.sha256, file.blobKey);
    }
    return blobs;
  }

  private async writeBlobs(
    epoch: number,
    files: readonly SnapshotFile[],
    reusable: ReadonlyMap<string, string>,
  ): Promise<ManifestFile[]> {
    const written: ManifestFile[] = [];
    for (const { name, path: source, ...expected } of files) {
      const { sha256, sizeBytes } = await hashFile(source);
      if (sha256 !== (expected.sha256 ?? sha256) || sizeBytes !== (expected.sizeBytes ?? sizeBytes)) {
        throw new Error(
          `snapshot file ${source} has ${sizeBytes} bytes with SHA-256 ${sha256} but was announced with ` +
            `${expected.sizeBytes ?? sizeBytes} bytes and ${expected.sha256 ?? sha256}; leave a snapshot alone until it is committed`,
        );
      }
      const reused = reusable.get(sha256);
      const blobKey = reused ?? `${this.prefix}/blobs/${epoch}/${sha256}`;
      if (reused === undefined) await this.store.put(blobKey, { path: source });
      written.push({ name, blobKey, sha256, sizeBytes });
    }
    return written;
  }

  private async writeManifest(manifest: Manifest): Promise<CheckpointEntry> {
    const { bytes, sha256 } = encodeManifest(manifest);
    for (let attempt = 1; ; attempt++) {
      // A name is taken where this step was committed in this epoch before, or was about to be; what is written never changes.
      const suffix = attempt === 1 ? '' : `-${attempt}`;
      const manifestKey = `${this.prefix}/checkpoints/${manifest.step}-${manifest.epoch}${suffix}.json`;
      try {
        await this.store.put(manifestKey, bytes, { ifAbsent: true });
      } catch (error) {
        if (error instanceof ObjectExists) continue;
        throw error;
      }
      this.#manifests.set(manifestKey, manifest);
      return { manifestKey, sha256, step: manifest.step };
    }
  }

  private retained(head: Head, entry: CheckpointEntry, manifest: Manifest): CheckpointEntry[] {
    const older = head.checkpoints.filter(({ manifestKey, step }) => {
      const replaced = step === entry.step && this.#manifests.get(manifestKey)?.epoch === manifest.epoch;
      return !replaced && !this.#rejected.has(manifestKey);
    });
    return [entry, ...older].slice(0, this.keepLast);
  }

  /** Removes what the head named before and does not name now. Never by listing: what nobody has named may be in the making. */
  private async collect(before: Head, after: Head): Promise<void> {
    const kept = new Set(after.checkpoints.map(({ manifestKey }) => manifestKey));
    for (const { manifestKey, sha256 } of before.checkpoints) {
      if (kept.has(manifestKey)) continue;
      const manifest = await this.readManifest(manifestKey, sha256).catch(corrupt);
      this.#garbage.add(manifestKey);
      for (const { blobKey } of manifest?.files ?? []) this.#garbage.add(blobKey);
    }
    for (const { manifestKey, sha256 } of after.checkpoints) {
      const manifest = await this.readManifest(manifestKey, sha256).catch(corrupt);
      // Which blobs this one needs is unknown, so that none can be removed.
      if (manifest === undefined) return;
      this.#garbage.delete(manifestKey);
      for (const { blobKey } of manifest.files) this.#garbage.delete(blobKey);
    }
    const removable = [...this.#garbage];
    await this.store.delete(removable);
    for (const key of removable) {
      this.#garbage.delete(key);
      this.#manifests.delete(key);
    }
  }

  private async readManifest(manifestKey: string, sha256: string): Promise<Manifest> {
    const known = this.#manifests.get(manifestKey);
    if (known !== undefined) return known;
    const bytes = await this.store.get(manifestKey);
    if (bytes === undefined) throw new CorruptManifest(`manifest ${manifestKey} is missing`);
    const manifest = decodeManifest(manifestKey, bytes, sha256);
    this.#manifests.set(manifestKey, manifest);
    return manifest;
  }
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

function sameCheckpoints(a: Head | undefined, b: Head | undefined): boolean {
  return JSON.stringify(a?.checkpoints) === JSON.stringify(b?.checkpoints);
}

/** For `catch`: undefined for a manifest that cannot be used, and any other error again. */
function corrupt(error: unknown): undefined {
  if (error instanceof CorruptManifest) return undefined;
  throw error;
}
