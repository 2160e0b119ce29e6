import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { makeFolder, readPieces, syncFolder, writeDurably, writeSynced, type WrittenFile } from '../durable-file.js';
import { absent, FileRegister, linkOnce } from './file-register.js';
import {
  checkKey,
  type ListedObject,
  type ObjectBody,
  ObjectExists,
  type ObjectStore,
  type RegisterValue,
  type TransferOptions,
} from './object-store.js';

/**
 * An object store in a folder of a file system with hard links, for any number of processes of one machine: an object is a
 * file, a register `head.json` a folder `head.json~` (see {@link FileRegister}), and `.tmp` holds what is being written.
 */
export class FileStore implements ObjectStore {
  readonly url: string;
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
    this.url = pathToFileURL(root).href;
  }

  /**
   * Opens the store in a folder, which is made if it is not there, and removes what writers killed long ago left in `.tmp`.
   *
   * @throws Error where the file system has no hard links, which compare-and-set needs.
   */
  static async open(folder: string): Promise<FileStore> {
    const store = new FileStore(path.resolve(folder));
    await makeFolder(store.#temporaryFolder);
    await store.#probe();
    await store.#removeAbandoned();
    return store;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const bytes = await readFile(this.#file(key)).catch(absent);
    return bytes === undefined ? undefined : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  async download(key: string, target: string, { onMoved }: TransferOptions = {}): Promise<WrittenFile | undefined> {
    const source = this.#file(key);
    if ((await stat(source).catch(absent)) === undefined) return undefined;
    return writeDurably(target, telling(readPieces(source), onMoved)).catch(async (error: unknown) => {
      // Removed since.
      if ((await stat(source).catch(absent)) === undefined) return undefined;
      throw error;
    });
  }

  async put(
    key: string,
    body: ObjectBody,
    options: TransferOptions & { readonly ifAbsent?: boolean } = {},
  ): Promise<WrittenFile> {
    const target = this.#file(key);
    const temporary = this.#temporaryFile();
    const folder = path.dirname(target);
    await makeFolder(folder);
    try {
      const written = await writeSynced(temporary, telling(chunksOf(body), options.onMoved));
      if (options.ifAbsent !== true) await rename(temporary, target);
      else if (!(await linkOnce(temporary, target))) {
        throw new ObjectExists(`object ${key} exists already; an object that is written once needs a key of its own`);
      }
      await syncFolder(folder);
      return written;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async readRegister(key: string): Promise<RegisterValue | undefined> {
    return this.#register(key).read();
  }

  async compareAndSet(key: string, expected: string | null, bytes: Uint8Array): Promise<string> {
    return this.#register(key).compareAndSet(expected, bytes);
  }

  async *list(prefix: string): AsyncGenerator<ListedObject> {
    const folder = prefix.includes('/') ? prefix.slice(0, prefix.lastIndexOf('/')) : '';
    if (folder !== '') checkKey(folder);
    for await (const listed of this.#walk(folder)) {
      if (listed.key.startsWith(prefix)) yield listed;
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const file = this.#file(key);
      await rm(file, { force: true });
      await rm(this.#register(key).folder, { force: true, recursive: true });
    }
  }

  async *#walk(folder: string): AsyncGenerator<ListedObject> {
    const entries = (await readdir(path.join(this.#root, folder), { withFileTypes: true }).catch(absent)) ?? [];
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      const key = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isFile()) {
        const sizeBytes = (await stat(path.join(this.#root, key)).catch(absent))?.size;
        if (sizeBytes !== undefined) yield { key, sizeBytes };
      } else if (entry.name.endsWith(REGISTER_SUFFIX)) {
        const registerKey = key.slice(0, -REGISTER_SUFFIX.length);
        const sizeBytes = await this.#register(registerKey).sizeBytes();
        if (sizeBytes !== undefined) yield { key: registerKey, sizeBytes };
      } else if (entry.isDirectory()) yield* this.#walk(key);
    }
  }

  #register(key: string): FileRegister {
    return new FileRegister(`${this.#file(key)}${REGISTER_SUFFIX}`, key);
  }

  #file(key: string): string {
    checkKey(key);
    return path.join(this.#root, key);
  }

  get #temporaryFolder(): string {
    return path.join(this.#root, '.tmp');
  }

  #temporaryFile(): string {
    return path.join(this.#temporaryFolder, randomUUID());
  }

  async #probe(): Promise<void> {
    const file = this.#temporaryFile();
    const second = this.#temporaryFile();
    try {
      await writeSynced(file, []);
      await linkOnce(file, second);
    } catch (error) {
      throw new Error(
        `object store ${this.url}: the folder cannot be written or its file system has no hard links; give a folder on a local disk`,
        { cause: error },
      );
    } finally {
      await rm(file, { force: true });
      await rm(second, { force: true });
    }
  }

  async #removeAbandoned(): Promise<void> {
    for (const name of await readdir(this.#temporaryFolder)) {
      const file = path.join(this.#temporaryFolder, name);
      const writtenMs = (await stat(file).catch(absent))?.mtimeMs;
      if (writtenMs !== undefined && Date.now() - writtenMs > ABANDONED_MS) await rm(file, { force: true });
    }
  }
}

function chunksOf(body: ObjectBody): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (body instanceof Uint8Array) return [body];
  return readPieces('path' in body ? body.path : body.handle, body.mostBytes);
}

/** The chunks, of each of which is told when it has been taken. */
async function* telling(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  onMoved: () => void = () => {},
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    onMoved();
  }
}

// No key contains this character.
const REGISTER_SUFFIX = '~';
const ABANDONED_MS = 24 * 60 * 60_000;
