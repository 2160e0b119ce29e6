import type { DatasetFile } from '@longrun/contracts';
import type { FileCache, HeldFile } from '@longrun/platform/worker';
import type { ObjectStore, OperationOptions } from '@longrun/serialization';

/** The object store has no such dataset, or not with the content that the record promised. Trying again does not help. */
export class DatasetUnavailable extends Error {
  override readonly name = 'DatasetUnavailable';
}

/** Dataset files on the local disk. */
export class DatasetCache {
  readonly #store: ObjectStore;
  readonly #files: FileCache;

  constructor(store: ObjectStore, files: FileCache) {
    this.#store = store;
    this.#files = files;
  }

  /**
   * Holds a dataset file on the local disk, fetched where it was not kept; to be released. Throws {@link DatasetUnavailable}, or what the
   * store or the disk throws.
   */
  async fetch(file: DatasetFile, options: OperationOptions = {}): Promise<HeldFile> {
    const { sha256, sizeBytes } = file;
    const wanted = { name: sha256, sha256, sizeBytes };
    return (
      (await this.#files.take(wanted)) ??
      (await this.#files.add(wanted, async (path) => await this.#download(file, path, options)))
    );
  }

  async #download(file: DatasetFile, path: string, options: OperationOptions): Promise<void> {
    const got = await this.#store.download(file.fileKey, path, options);
    if (got === undefined)
      throw new DatasetUnavailable(
        `The object store ${this.#store.url} has no ${file.fileKey}; submit the dataset again, then the experiment.`,
      );
    if (got.sha256 !== file.sha256)
      throw new DatasetUnavailable(
        `${file.fileKey} in ${this.#store.url} has SHA-256 ${got.sha256} instead of ${file.sha256}: it is damaged; submit the dataset again, then the experiment.`,
      );
  }
}
