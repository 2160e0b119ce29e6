import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { namingDisk, onDisk } from '../disk-error.js';
import { hashFile, makeFolder, readPieces, syncFolder, type WrittenFile, writeSynced } from '../durable-file.js';
import { absent, codeOf } from '../file-error.js';
import { BIG, linkOpenFile } from '../same-file.js';
import { FileRegister, linkOnce, remove } from './file-register.js';
import { bodyFor, downloadTo, givenIn, isAsRead, telling } from './object-body.js';
import { checkKey, checkPrefix, InvalidKey, REGISTER_SUFFIX } from './object-key.js';
import {
  checkContent,
  DeletionFailed,
  type FailedDeletion,
  type ListedObject,
  ObjectAbsent,
  type ObjectBody,
  ObjectExists,
  type ObjectFacts,
  type ObjectStore,
  type OperationOptions,
  type PutOptions,
  type ReadOptions,
  type RegisterValue,
  type StoreProbe,
  StoreUnfit,
  type TransferOptions,
} from './object-store.js';
import { TemporaryFiles } from './temporary-files.js';

/**
 * An object store in a folder of a file system with hard links, for any number of processes of one machine: an object is a
 * file, a register `head.json` a folder `head.json~` (see {@link FileRegister}), and `.tmp` holds what is being written. It notes no
 * checksums.
 */
export class FileStore implements ObjectStore {
  readonly url: string;
  readonly takesFiles = true;
  readonly #root: string;
  readonly #temporary: TemporaryFiles;

  /** @param folder made by {@link probe} if it is not there */
  constructor(folder: string) {
    this.#root = path.resolve(folder);
    this.#temporary = new TemporaryFiles(path.join(this.#root, '.tmp'));
    this.url = pathToFileURL(this.#root).href;
  }

  async get(key: string, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    const file = await open(this.#file(key), 'r').catch(absent);
    if (file === undefined) return undefined;
    try {
      const found = await file.stat();
      if (found.isDirectory()) return undefined;
      const { start, end } = within(found.size, options);
      const bytes = new Uint8Array(end - start);
      let filled = 0;
      for await (const piece of telling(readPieces(file, bytes.byteLength, start), options)) {
        bytes.set(piece, filled);
        filled += piece.byteLength;
      }
      return bytes.subarray(0, filled);
    } catch (error) {
      throw namingDisk(this.#saying(key, 'read'), error);
    } finally {
      await file.close();
    }
  }

  async *openRead(key: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const file = await open(this.#file(key), 'r').catch(absent);
    try {
      const found = await file?.stat();
      if (file === undefined || found === undefined || found.isDirectory()) {
        throw new ObjectAbsent(`object ${key} is not in ${this.url}`);
      }
      const { start, end } = within(found.size, options);
      yield* telling(readPieces(file, end - start, start), options);
    } catch (error) {
      throw namingDisk(this.#saying(key, 'read'), error);
    } finally {
      await file?.close();
    }
  }

  async head(key: string): Promise<ObjectFacts | undefined> {
    const found = await stat(this.#file(key)).catch(absent);
    return found?.isFile() === true ? { sizeBytes: found.size, sha256: undefined } : undefined;
  }

  async download(key: string, target: string, options: TransferOptions = {}): Promise<WrittenFile | undefined> {
    checkKey(key);
    return downloadTo(target, this.openRead(key), options);
  }

  async downloadUrl(key: string): Promise<string | undefined> {
    checkKey(key);
    return undefined;
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<WrittenFile> {
    const target = this.#file(key);
    const temporary = this.#temporary.next();
    let isLeft = true;
    try {
      const given = await taken(temporary, body);
      const written = given ?? (await writeSynced(temporary, bodyFor(key, body, options)));
      checkContent(key, options.expected, written);
      // Whoever has given it up may have put another since.
      options.signal?.throwIfAborted();
      if (options.ifAbsent !== true) {
        await this.#placed(key, target, () => rename(temporary, target));
        // Where both are names of one file, that is given again, it leaves both.
        isLeft = given !== undefined;
      } else if (!(await this.#placed(key, target, () => linkOnce(temporary, target)))) throw new ObjectExists(key);
      const leaving = isLeft ? remove(temporary) : undefined;
      isLeft = false;
      await Promise.all([syncFolder(path.dirname(target)), leaving]);
      return written;
    } catch (error) {
      // A body is read from wherever it lies.
      throw isOfReading(error) ? error : namingDisk(this.#saying(key, 'written'), error);
    } finally {
      if (isLeft) await remove(temporary);
    }
  }

  async readRegister(key: string): Promise<RegisterValue | undefined> {
    return onDisk(this.#saying(key, 'read'), async () => await this.#register(key).read());
  }

  async compareAndSet(
    key: string,
    expected: string | null,
    bytes: Uint8Array,
    options: OperationOptions = {},
  ): Promise<string> {
    return onDisk(
      this.#saying(key, 'written'),
      async () => await this.#register(key).compareAndSet(expected, bytes, options),
    );
  }

  async *list(prefix: string, { signal }: OperationOptions = {}): AsyncGenerator<ListedObject> {
    checkPrefix(prefix);
    for await (const listed of this.#walk(path.posix.dirname(`${prefix}.`))) {
      signal?.throwIfAborted();
      if (listed.key.startsWith(prefix)) yield listed;
    }
  }

  async delete(keys: readonly string[], { signal, onMoved }: TransferOptions = {}): Promise<void> {
    for (const key of keys) checkKey(key);
    const failed: FailedDeletion[] = [];
    for (const key of keys) {
      signal?.throwIfAborted();
      try {
        await rm(this.#file(key), { force: true }).catch(absent);
        await rm(this.#register(key).folder, { force: true, recursive: true }).catch(absent);
      } catch (error) {
        failed.push({ key, reason: error instanceof Error ? error.message : String(error) });
      }
      onMoved?.();
    }
    const [first, ...others] = failed;
    if (first !== undefined) throw new DeletionFailed(this.url, [first, ...others]);
  }

  /** Makes the folder if it is not there. @throws StoreUnfit where the file system has no hard links, which compare-and-set needs */
  async probe(): Promise<StoreProbe> {
    const [file, name, another] = [this.#temporary.next(), this.#temporary.next(), this.#temporary.next()];
    try {
      await makeFolder(this.#temporary.folder);
      const written = await writeSynced(file, [randomBytes(PROBE_BYTES)]);
      if (!(await linkOnce(file, name)) || (await stat(name)).nlink !== 2) throw new Error('a link is not one');
      await writeSynced(another, [randomBytes(PROBE_BYTES)]);
      if (await linkOnce(another, name)) throw new Error('a link replaces what is there');
      if ((await hashFile(name)).sha256 !== written.sha256) throw new Error('what was written is not what is read');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new StoreUnfit(
        `object store ${this.url}: the folder cannot be written or its file system has no hard links (${reason}); give a folder on a ` +
          `local disk`,
        { cause: error },
      );
    } finally {
      for (const left of [file, name, another]) await rm(left, { force: true }).catch(absent);
    }
    return { notes: [] };
  }

  async sweep(): Promise<number> {
    return this.#temporary.sweep();
  }

  async *#walk(folder: string): AsyncGenerator<ListedObject> {
    const entries = (await readdir(path.join(this.#root, folder)).catch(absent)) ?? [];
    for (const name of entries) {
      if (name.startsWith('.')) continue;
      const key = folder === '.' ? name : `${folder}/${name}`;
      if (name.endsWith(REGISTER_SUFFIX)) {
        const registerKey = key.slice(0, -REGISTER_SUFFIX.length);
        const sizeBytes = await this.#register(registerKey).sizeBytes();
        if (sizeBytes !== undefined) yield { key: registerKey, sizeBytes };
        continue;
      }
      // Also through a symbolic link, as it is read.
      const found = await stat(path.join(this.#root, key)).catch(absent);
      if (found?.isDirectory() === true) yield* this.#walk(key);
      else if (found?.isFile() === true) yield { key, sizeBytes: found.size };
    }
  }

  #register(key: string): FileRegister {
    return new FileRegister(`${this.#file(key)}${REGISTER_SUFFIX}`, key);
  }

  #saying(key: string, what: 'read' | 'written'): string {
    return `object store ${this.url}: ${key} could not be ${what}`;
  }

  #file(key: string): string {
    checkKey(key);
    return path.join(this.#root, key);
  }

  /** Puts something in the place of a key, whose folder is made for the first. @throws InvalidKey where a file is in the place of a folder, or the other way round */
  async #placed<T>(key: string, target: string, place: () => Promise<T>): Promise<T> {
    try {
      return await place().catch(async (error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw error;
        await makeFolder(path.dirname(target));
        return place();
      });
    } catch (error) {
      const code = codeOf(error);
      const isThrough = code === 'ENOTDIR' || code === 'EEXIST';
      if (!isThrough && code !== 'EISDIR' && code !== 'ENOTEMPTY') throw error;
      const what = isThrough ? 'goes through another object' : 'is the beginning of other keys';
      throw new InvalidKey(`object key ${JSON.stringify(key)} ${what} in ${this.url}; give another one`, {
        cause: error,
      });
    }
  }
}

/** Gives a file that is given a second name, once its bytes are on disk. Undefined where that cannot be: it is copied then. */
async function taken(name: string, body: ObjectBody): Promise<WrittenFile | undefined> {
  const given = givenIn(body);
  if (given === undefined) return undefined;
  const { handle } = given;
  if (!(await linkOpenFile(given.path, handle, name))) return undefined;
  const found = await handle.stat(BIG);
  if (!isAsRead(given, found) || !(await isOurs(handle, found))) {
    await rm(name, { force: true });
    return undefined;
  }
  await handle.sync();
  return given.content;
}

/** Makes a file ours, with the mode that one has which is written here. False where we may not. */
async function isOurs(handle: FileHandle, { uid }: { readonly uid: bigint }): Promise<boolean> {
  try {
    const [self, group] = [process.getuid?.(), process.getgid?.()];
    if (self !== undefined && group !== undefined && uid !== BigInt(self)) await handle.chown(self, group);
    await handle.chmod(0o666 & ~process.umask());
    return true;
  } catch {
    return false;
  }
}

function isOfReading(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'read';
}

/** Where a range lies in an object of so many bytes. */
function within(sizeBytes: number, { range }: ReadOptions): { readonly start: number; readonly end: number } {
  const start = Math.min(range?.start ?? 0, sizeBytes);
  return { start, end: Math.max(start, Math.min(range?.end ?? sizeBytes, sizeBytes)) };
}

/** Large enough that a disk without room has none for it. */
const PROBE_BYTES = 64 << 10;
