import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { DatasetFile } from '@longrun/contracts';
import { hashFile, type ObjectStore, type OperationOptions } from '@longrun/serialization';

/** The object store has no such dataset, or not with the content that the record promised. Trying again does not help. */
export class DatasetUnavailable extends Error {
  override readonly name = 'DatasetUnavailable';
}

/**
 * Dataset files on the local disk, `<folder>/<sha256>.hdf5`, shared by all workers of this machine and kept between experiments.
 * A file is in its place only when its content has the SHA-256 of its name; one that was changed since is fetched again. A file that
 * was hashed has a mark beside it, `<sha256>.hdf5.seen`, that says which one that was: while the file system says that it is the
 * same, unchanged since, it is not hashed again.
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
  async fetch(file: DatasetFile, scratchFolder: string, options: OperationOptions = {}): Promise<string> {
    const path = join(this.#folder, `${file.sha256}.hdf5`);
    if (await this.#isSound(path, file, scratchFolder)) return path;

    await mkdir(this.#folder, { recursive: true });
    const part = join(scratchFolder, `${file.sha256}.part`);
    await mkdir(scratchFolder, { recursive: true });
    try {
      const got = await this.#store.download(file.fileKey, part, options);
      if (got === undefined)
        throw new DatasetUnavailable(
          `The object store ${this.#store.url} has no ${file.fileKey}; submit the dataset again, then the experiment.`,
        );
      if (got.sha256 !== file.sha256)
        throw new DatasetUnavailable(
          `${file.fileKey} in ${this.#store.url} has SHA-256 ${got.sha256} instead of ${file.sha256}: it is damaged; submit the dataset again, then the experiment.`,
        );
      // Trainers of another user read it. To let them later would change the file, as far as its mark can tell.
      await chmod(part, 0o644);
      await rename(part, path);
    } finally {
      await rm(part, { force: true });
    }
    await this.#mark(path, await identityOf(path), scratchFolder);
    return path;
  }

  async #isSound(path: string, file: DatasetFile, scratchFolder: string): Promise<boolean> {
    const identity = await identityOf(path);
    if (identity?.sizeBytes !== file.sizeBytes) return false;
    if ((await readFile(markOf(path), 'utf8').catch(() => undefined)) === JSON.stringify(identity)) return true;
    if ((await hashFile(path)).sha256 !== file.sha256) return false;
    await this.#mark(path, identity, scratchFolder);
    return true;
  }

  /** Whole or not at all. What cannot be marked is hashed again, and that is all. */
  async #mark(path: string, identity: Identity | undefined, scratchFolder: string): Promise<void> {
    const draft = join(scratchFolder, `${basename(path)}.mark`);
    try {
      await mkdir(scratchFolder, { recursive: true });
      await writeFile(draft, JSON.stringify(identity));
      await rename(draft, markOf(path));
    } catch {
      await rm(draft, { force: true });
    }
  }
}

/** What the file system says of a file: it cannot be written without that changing, for nobody but the system sets `changedNs`. */
interface Identity {
  readonly device: string;
  readonly inode: string;
  readonly sizeBytes: number;
  readonly writtenNs: string;
  readonly changedNs: string;
}

async function identityOf(path: string): Promise<Identity | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  if (found === undefined) return undefined;
  return {
    device: String(found.dev),
    inode: String(found.ino),
    sizeBytes: Number(found.size),
    writtenNs: String(found.mtimeNs),
    changedNs: String(found.ctimeNs),
  };
}

function markOf(path: string): string {
  return `${path}.seen`;
}
