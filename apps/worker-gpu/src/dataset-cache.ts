import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetFile } from '@longrun/contracts';
import { hashFile, type ObjectStore } from '@longrun/serialization';

/** The object store has no such dataset, or not with the content that the record promised. Trying again does not help. */
export class DatasetUnavailable extends Error {
  override readonly name = 'DatasetUnavailable';
}

/**
 * Dataset files on the local disk, `<folder>/<sha256>.hdf5`, shared by all workers of this machine and kept between experiments.
 * A file is in its place only when its content has the SHA-256 of its name; one that was damaged since is fetched again.
 */
export class DatasetCache {
  readonly #store: ObjectStore;
  readonly #folder: string;

  constructor(store: ObjectStore, folder: string) {
    this.#store = store;
    this.#folder = folder;
  }

  /**
   * Returns the local path. `scratchFolder` is where the file is made, on the same disk. Throws {@link DatasetUnavailable}, or what the
   * store or the disk throws.
   */
  async fetch(file: DatasetFile, scratchFolder: string): Promise<string> {
    const path = join(this.#folder, `${file.sha256}.hdf5`);
    if (await isSound(path, file)) return path;

    await mkdir(this.#folder, { recursive: true });
    const part = join(scratchFolder, `${file.sha256}.part`);
    await mkdir(scratchFolder, { recursive: true });
    try {
      const got = await this.#store.download(file.fileKey, part);
      if (got === undefined)
        throw new DatasetUnavailable(
          `The object store ${this.#store.url} has no ${file.fileKey}; submit the dataset again, then the experiment.`,
        );
      if (got.sha256 !== file.sha256)
        throw new DatasetUnavailable(
          `${file.fileKey} in ${this.#store.url} has SHA-256 ${got.sha256} instead of ${file.sha256}: it is damaged; submit the dataset again, then the experiment.`,
        );
      await rename(part, path);
    } finally {
      await rm(part, { force: true });
    }
    return path;
  }
}

async function isSound(path: string, file: DatasetFile): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.size === file.sizeBytes && (await hashFile(path)).sha256 === file.sha256;
}
