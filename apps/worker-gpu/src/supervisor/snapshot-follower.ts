import type { FileHandle } from 'node:fs/promises';
import type { TrainerMessage } from '@longrun/contracts';
import { openHandedOver } from '@longrun/platform/worker';
import { HashBehind, isSameOpenFile, type ObjectStore } from '@longrun/serialization';

type Growing = Pick<Extract<TrainerMessage, { type: 'snapshot_growing' }>, 'folder' | 'file' | 'sizeBytes'>;

/** A file of a snapshot that was read while it was written. */
export interface FollowedFile {
  readonly handle: FileHandle;
  readonly hash: HashBehind;
}

/**
 * Reads the large files of a snapshot while its trainer writes them, so that little is left to be read once it is announced. It believes
 * nothing: what it cannot read, or cannot find again, is read when it is announced.
 */
export class SnapshotFollower {
  readonly #workFolder: string;
  readonly #store: Pick<ObjectStore, 'takesFiles'>;
  #growing = new Map<string, Following>();
  readonly #open = new Set<Following>();
  #isClosed = false;

  /** @param workFolder The trainer's, in which it has `snapshots` */
  constructor(workFolder: string, store: Pick<ObjectStore, 'takesFiles'>) {
    this.#workFolder = workFolder;
    this.#store = store;
  }

  /** So much of a file is written. */
  follow({ folder, file, sizeBytes }: Growing): void {
    const name = `${folder}/${file}`;
    let following = this.#growing.get(name);
    if (following === undefined) {
      if (this.#isClosed || this.#open.size >= MOST_FILES) return;
      following = new Following(this.#opened(folder, file), (gone) => this.#open.delete(gone));
      this.#growing.set(name, following);
      this.#open.add(following);
    }
    void following.written(sizeBytes);
  }

  /** The snapshot is announced whose files were followed since the last one. */
  take(): FollowedFiles {
    const files = [...this.#growing.values()];
    this.#growing.clear();
    return new FollowedFiles(files);
  }

  /** Lets go of all that nobody has fetched. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const following of this.#open) await following.close();
  }

  async #opened(folder: string, file: string): Promise<FollowedFile> {
    const handle = await openHandedOver(this.#workFolder, 'snapshots', folder, file);
    return { handle, hash: new HashBehind(handle, { isSynced: this.#store.takesFiles }) };
  }
}

/** What was followed of the files of one snapshot. */
export class FollowedFiles {
  readonly #files: readonly Following[];

  constructor(files: readonly Following[]) {
    this.#files = files;
  }

  /** The one that is an open file, whatever it was called while it was written; the caller's to close. A second call finds it no more. */
  async fetch(opened: FileHandle): Promise<FollowedFile | undefined> {
    for (const following of this.#files) {
      if (following.isGone) continue;
      const found = await following.opened;
      if (found !== undefined && (await isSameOpenFile(found.handle, opened)))
        return following.give() ? found : undefined;
    }
    return undefined;
  }

  /** Lets go of those that nobody has fetched. */
  async close(): Promise<void> {
    for (const following of this.#files) await following.close();
  }
}

/** One file that grows. */
class Following {
  /** Undefined where there was none that could be opened. */
  readonly opened: Promise<FollowedFile | undefined>;
  readonly #onGone: (following: Following) => void;
  #isGone = false;

  constructor(opening: Promise<FollowedFile>, onGone: (following: Following) => void) {
    this.opened = opening.catch(() => undefined);
    this.#onGone = onGone;
  }

  async written(sizeBytes: number): Promise<void> {
    const opened = await this.opened;
    if (!this.#isGone) opened?.hash.written(sizeBytes);
  }

  /** Given to another, or closed. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Leaves it to another. False if that was done, or it was closed, before. */
  give(): boolean {
    if (this.#isGone) return false;
    this.#isGone = true;
    this.#onGone(this);
    return true;
  }

  async close(): Promise<void> {
    if (!this.give()) return;
    const opened = await this.opened;
    await opened?.hash.stop();
    await opened?.handle.close();
  }
}

/** At once: a trainer has no more than three snapshots that are not committed, of two large files each; a dishonest one gets no more of its worker. */
const MOST_FILES = 8;
