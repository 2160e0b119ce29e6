import { type FileHandle, open } from 'node:fs/promises';
import {
  HashBehind,
  isSameOpenFile,
  type ObjectStore,
  readSnapshotFile,
  type ReadSnapshotFile,
} from '@longrun/serialization';

/** The files of one snapshot that another process writes, read meanwhile as its worker does. */
export class FollowedSnapshot {
  readonly #store: ObjectStore;
  /** By the path at which each was written to. */
  readonly #growing = new Map<string, Promise<Begun | undefined>>();
  readonly #opened: FileHandle[] = [];

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** So many of the first bytes of a file are written. */
  async grown(file: string, sizeBytes: number): Promise<void> {
    // It may have its last name by then.
    const begun = this.#growing.get(file) ?? this.#open(file).catch(() => undefined);
    this.#growing.set(file, begun);
    (await begun)?.hash.written(sizeBytes);
  }

  /** Reads the rest of its files, now that all is written, to be committed. */
  async read(files: readonly { readonly name: string; readonly path: string }[]): Promise<ReadSnapshotFile[]> {
    const read: ReadSnapshotFile[] = [];
    for (const { name, path } of files) {
      const opened = await this.#openForRead(path);
      const begun = await this.#begunOf(opened);
      const handle = begun?.handle ?? opened;
      read.push(await readSnapshotFile({ name, path, handle }, this.#store, { begun: begun?.hash }));
    }
    return read;
  }

  /** Once it is committed. */
  async close(): Promise<void> {
    await Promise.all(this.#growing.values());
    for (const handle of this.#opened) await handle.close();
  }

  async #begunOf(opened: FileHandle): Promise<Begun | undefined> {
    for (const growing of this.#growing.values()) {
      const begun = await growing;
      if (begun !== undefined && (await isSameOpenFile(begun.handle, opened))) return begun;
    }
    return undefined;
  }

  async #open(file: string): Promise<Begun> {
    const handle = await this.#openForRead(file);
    return { handle, hash: new HashBehind(handle, { isSynced: this.#store.takesFiles }) };
  }

  async #openForRead(path: string): Promise<FileHandle> {
    const handle = await open(path);
    this.#opened.push(handle);
    return handle;
  }
}

interface Begun {
  readonly handle: FileHandle;
  readonly hash: HashBehind;
}
