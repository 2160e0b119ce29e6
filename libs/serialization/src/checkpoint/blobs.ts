import { hashFile, type WrittenFile } from '../durable-file.js';
import { ContentMismatch, type ObjectBody, type ObjectStore } from '../store/object-store.js';
import { type FlightSignals, inFlight } from '../in-flight.js';
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

/** The files of a snapshot, as a manifest is to name them. */
export interface PlannedBlobs {
  readonly files: readonly ManifestFile[];
  /**
   * Writes those blobs that are missing, several at once.
   *
   * @throws SnapshotChanged
   */
  readonly write: (signals: FlightSignals) => Promise<void>;
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
   * Finds out as what the files of a snapshot are to be stored. A blob is named again only if it has just been read and is whole. Nothing is
   * written.
   *
   * @throws SnapshotChanged
   */
  async plan(
    fence: number,
    files: readonly (SnapshotFile | ReadSnapshotFile)[],
    known: KnownBlobs,
    signal: AbortSignal,
  ): Promise<PlannedBlobs> {
    const contents = new Map<string, Content>();
    const named: (readonly [name: string, content: Content])[] = [];
    for (const file of files) {
      const { sha256, sizeBytes } = await contentOf(file);
      const content = contents.get(sha256) ?? { sha256, sizeBytes, files: [], whole: [], missing: [] };
      content.files.push(file);
      contents.set(sha256, content);
      named.push([file.name, content]);
    }
    const each = [...contents.values()];
    await inFlight(each, { leaving: signal }, async (content) => {
      content.whole.push(...(await this.#whole(content.sha256, known, signal)));
      for (let there = content.whole.length; there < this.#copies; there += 1)
        content.missing.push(freshKey(`${this.#prefix}/blobs/${fence}/${content.sha256}`));
    });
    return {
      files: named.map(([name, { sha256, sizeBytes, whole, missing }]) => {
        const [blobKey = '', copyKey] = [...whole, ...missing];
        const entry = { name, blobKey, sha256, sizeBytes };
        return copyKey === undefined ? entry : { ...entry, copyKey };
      }),
      write: async (signals) => {
        await inFlight(each, signals, async (content, both) => await this.#place(content, both));
      },
    };
  }

  /** Those blobs of a content that are whole, by their bytes, no more than are needed: what a store has noted may be older than the damage. */
  async #whole(sha256: string, known: KnownBlobs, signal: AbortSignal): Promise<readonly string[]> {
    const whole: string[] = [];
    for (const key of known.reusable.get(sha256) ?? []) {
      if (whole.length === this.#copies) break;
      const isWhole = await unlessAborted(
        signal,
        async () => (await hashObject(this.#store, key, { signal }))?.sha256 === sha256,
      ).catch(() => {
        signal.throwIfAborted();
        // What cannot be read now is written anew, which says nothing about it.
        return undefined;
      });
      if (isWhole === true) whole.push(key);
      if (isWhole === false) known.onDamaged(key);
    }
    return whole;
  }

  /** Writes the blobs of a content that are missing. Of files that are not written for it, it is seen that they have it. */
  async #place(
    { sha256, sizeBytes, files, whole, missing }: Content,
    { leaving, wanted }: Required<FlightSignals>,
  ): Promise<void> {
    const [first, ...others] = files;
    if (first === undefined) return;
    for (const [index, key] of missing.entries()) {
      // Only the first one: what is there may be the very file, and copies that shared their bytes would be one.
      const mayGive = whole.length + index === 0;
      wanted.throwIfAborted();
      await this.#put(key, first, { sha256, sizeBytes }, { mayGive, signal: leaving });
    }
    for (const file of missing.length === 0 ? files : others) await unchanged(file, sha256);
  }

  /** What was written is what counts: whoever made the file may write to it still. */
  async #put(
    key: string,
    file: SnapshotFile | ReadSnapshotFile,
    expected: WrittenFile,
    { mayGive, signal }: { readonly mayGive: boolean; readonly signal: AbortSignal },
  ): Promise<void> {
    try {
      await this.#store.put(key, bodyOf(file, mayGive), { expected, signal });
    } catch (error) {
      if (error instanceof ContentMismatch) throw changed(file, expected.sha256, error.found);
      throw error;
    }
  }

  get #copies(): number {
    return this.#isTwofold ? 2 : 1;
  }
}

/** What files of a snapshot have. */
interface Content extends WrittenFile {
  readonly files: (SnapshotFile | ReadSnapshotFile)[];
  /** Keys of blobs that have it. */
  readonly whole: string[];
  /** Keys of those that are to be written beside them. */
  readonly missing: string[];
}

/** SHA-256 and size that a file is to have. @throws SnapshotChanged for a size that it has not */
async function contentOf(file: SnapshotFile | ReadSnapshotFile): Promise<WrittenFile> {
  const size = await checkSize(file);
  const { sha256, handle, path, sizeBytes } = file;
  return sha256 === undefined ? await hashFile(handle ?? path, sizeBytes) : { sha256, sizeBytes: sizeBytes ?? size };
}

function bodyOf(file: SnapshotFile | ReadSnapshotFile, mayGive: boolean): ObjectBody {
  const { path, handle, sizeBytes: mostBytes } = file;
  if (handle === undefined) return { path, mostBytes };
  if (!mayGive || !('isGiven' in file)) return { handle, mostBytes };
  const { sha256, sizeBytes, mtimeNs } = file;
  return { handle, mostBytes, given: { path, content: { sha256, sizeBytes }, mtimeNs } };
}
