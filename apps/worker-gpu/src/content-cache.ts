import type { DatasetFile, ProgramFile, ReasonCode } from '@longrun/contracts';
import type { FileCache, HeldFile } from '@longrun/platform/worker';
import type { ObjectStore, OperationOptions } from '@longrun/serialization';

/** The object store has no such file, or not with the content that the record promised. Trying again does not help. */
export class ContentUnavailable extends Error {
  override readonly name = 'ContentUnavailable';
  readonly reason: ReasonCode;

  constructor(message: string, reason: ReasonCode) {
    super(message);
    this.reason = reason;
  }
}

/** What the files of a cache are. */
export interface ContentKind {
  /** What an attempt ends with that cannot have one. */
  readonly reason: ReasonCode;
  /** What to do then, a clause. */
  readonly remedy: string;
}

export const DATASETS: ContentKind = {
  reason: 'dataset_unavailable',
  remedy: 'submit the dataset again, then the experiment',
};

export const PROGRAMS: ContentKind = {
  reason: 'program_unavailable',
  remedy: 'publish the program again, then submit the experiment',
};

/** Files of the object store on the local disk, by their SHA-256. */
export class ContentCache {
  readonly #store: ObjectStore;
  readonly #files: FileCache;
  readonly #kind: ContentKind;

  constructor(store: ObjectStore, files: FileCache, kind: ContentKind) {
    this.#store = store;
    this.#files = files;
    this.#kind = kind;
  }

  /**
   * Holds a file on the local disk, fetched where it was not kept, or is not whole any more; to be released. Throws
   * {@link ContentUnavailable}, or what the store or the disk throws.
   */
  async fetch(file: DatasetFile | ProgramFile, options: OperationOptions = {}): Promise<HeldFile> {
    const { sha256, sizeBytes } = file;
    const wanted = { name: sha256, sha256, sizeBytes };
    return (
      (await this.#files.take(wanted)) ??
      (await this.#files.add(wanted, async (path) => await this.#download(file, path, options)))
    );
  }

  async #download(file: DatasetFile | ProgramFile, path: string, options: OperationOptions): Promise<void> {
    const { reason, remedy } = this.#kind;
    const got = await this.#store.download(file.fileKey, path, options);
    if (got === undefined)
      throw new ContentUnavailable(`The object store ${this.#store.url} has no ${file.fileKey}; ${remedy}.`, reason);
    if (got.sha256 !== file.sha256)
      throw new ContentUnavailable(
        `${file.fileKey} in ${this.#store.url} has SHA-256 ${got.sha256} instead of ${file.sha256}: it is damaged; ${remedy}.`,
        reason,
      );
  }
}
