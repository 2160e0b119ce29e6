import { hashFile, type WrittenFile } from '../durable-file.js';
import { ContentMismatch, type ObjectBody, type ObjectStore } from '../store/object-store.js';
import { unlessAborted } from '../unless-aborted.js';
import { freshKey } from '../store/fresh-key.js';
import type { ManifestFile } from './manifest.js';
import { changed, checkSize, type ReadSnapshotFile, type SnapshotFile, unchanged } from './snapshot.js';
import { hashObject } from './stored-files.js';

/** What a commit may know of the blobs that are there. */
export interface KnownBlobs {
  /** Keys, by SHA-256, of those that may be named again once they have been read. */
  readonly reusable: ReadonlyMap<string, readonly string[]>;
  /** Told of each that has other bytes than it should, or is missing. */
  readonly onDamaged: (key: string) => void;
}

/** Writes the files of checkpoints as objects under a prefix. */
export class Blobs {
  readonly #store: ObjectStore;
  readonly #prefix: string;
  readonly #isTwofold: boolean;

  /** @param isTwofold each file is stored twice */
  constructor(store: ObjectStore, prefix: string, { isTwofold }: { readonly isTwofold: boolean }) {
    this.#store = store;
    this.#prefix = prefix;
    this.#isTwofold = isTwofold;
  }

  /**
   * Sees to it that the files of a snapshot are stored. A blob is named again only if it has just been read and is whole.
   *
   * @throws SnapshotChanged
   */
  async write(
    fence: number,
    files: readonly (SnapshotFile | ReadSnapshotFile)[],
    known: KnownBlobs,
    signal: AbortSignal | undefined,
  ): Promise<ManifestFile[]> {
    const stored = new Map<string, readonly string[]>();
    const written: ManifestFile[] = [];
    for (const file of files) {
      await checkSize(file);
      const sha256 = file.sha256 ?? (await hashFile(file.handle ?? file.path, file.sizeBytes)).sha256;
      const keys = stored.get(sha256) ?? (await this.#whole(sha256, known, signal));
      const placed = await unlessAborted(signal, async () => await this.#place(fence, file, sha256, keys, signal));
      stored.set(sha256, placed.keys);
      const [blobKey = '', copyKey] = placed.keys;
      const entry = { name: file.name, blobKey, sha256, sizeBytes: placed.sizeBytes };
      written.push(copyKey === undefined ? entry : { ...entry, copyKey });
    }
    return written;
  }

  /** Those blobs of a content that are whole, by their bytes, no more than are needed: what a store has noted may be older than the damage. */
  async #whole(sha256: string, known: KnownBlobs, signal: AbortSignal | undefined): Promise<readonly string[]> {
    const whole: string[] = [];
    for (const key of known.reusable.get(sha256) ?? []) {
      if (whole.length === this.#copies) break;
      const isWhole = await unlessAborted(
        signal,
        async () => (await hashObject(this.#store, key, { signal }))?.sha256 === sha256,
      ).catch(() => {
        signal?.throwIfAborted();
        // What cannot be read now is written anew, which says nothing about it.
        return undefined;
      });
      if (isWhole === true) whole.push(key);
      if (isWhole === false) known.onDamaged(key);
    }
    return whole;
  }

  /** Writes as many blobs of a file as are missing beside those that there are. */
  async #place(
    fence: number,
    file: SnapshotFile | ReadSnapshotFile,
    sha256: string,
    there: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<{ readonly keys: readonly string[]; readonly sizeBytes: number }> {
    const keys = [...there];
    if (keys.length === this.#copies) return { keys, sizeBytes: (await unchanged(file, sha256)).sizeBytes };
    let sizeBytes = 0;
    while (keys.length < this.#copies) {
      const key = freshKey(`${this.#prefix}/blobs/${fence}/${sha256}`);
      // Only the first one: what is there may be the very file, and copies that shared their bytes would be one.
      ({ sizeBytes } = await this.#put(key, file, sha256, { mayGive: keys.length === 0, signal }));
      keys.push(key);
    }
    return { keys, sizeBytes };
  }

  /** What was written is what counts: whoever made the file may write to it still. */
  async #put(
    key: string,
    file: SnapshotFile | ReadSnapshotFile,
    sha256: string,
    { mayGive, signal }: { readonly mayGive: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<WrittenFile> {
    try {
      return await this.#store.put(key, bodyOf(file, mayGive), {
        expected: { sizeBytes: file.sizeBytes, sha256 },
        signal,
      });
    } catch (error) {
      if (error instanceof ContentMismatch) throw changed(file, sha256, error.found);
      throw error;
    }
  }

  get #copies(): number {
    return this.#isTwofold ? 2 : 1;
  }
}

function bodyOf(file: SnapshotFile | ReadSnapshotFile, mayGive: boolean): ObjectBody {
  const { path, handle, sizeBytes: mostBytes } = file;
  if (handle === undefined) return { path, mostBytes };
  if (!mayGive || !('isGiven' in file)) return { handle, mostBytes };
  const { sha256, sizeBytes, mtimeNs } = file;
  return { handle, mostBytes, given: { path, content: { sha256, sizeBytes }, mtimeNs } };
}
