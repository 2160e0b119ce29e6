import { createHash, randomUUID } from 'node:crypto';
import { access, constants, lstat, mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';

import { writeDurably } from '@longrun/serialization';

/** Where this process keeps what it has compiled: LONGRUN_COMPILE_CACHE; undefined where that is not set: nowhere. */
export function compileCache(): CompileCache | undefined {
  const folder = process.env.LONGRUN_COMPILE_CACHE;
  return folder === undefined || folder === '' ? undefined : new CompileCache(path.resolve(folder));
}

/** Why what is kept now was not from there. */
export const KEPT = 'it is kept from now on';

/** Of a cache, unless it is told otherwise. */
const MOST_BYTES = 256 * 2 ** 20;
/** A file that no process has finished in so long is left over from one that was killed. */
const LEFT_OVER_AFTER_MS = 3_600_000;

/**
 * Plans of functions, and programs that an engine has compiled, as files in a folder of the user's own, for any number of processes at once. It never throws: what
 * cannot be read is not there, and what cannot be kept is not.
 *
 * An entry is named by a hash of all that it was made of, which it holds, too, with a hash of both and its bytes. One that is damaged, cut short or of
 * another name is removed, and never given.
 */
export class CompileCache {
  readonly folder: string;
  readonly #mostBytes: number;

  /** @param mostBytes of all entries: with more, those go that were not used for longest */
  constructor(folder: string, mostBytes = MOST_BYTES) {
    this.folder = folder;
    this.#mostBytes = mostBytes;
  }

  /**
   * The name of an entry: a hash of the parts, in order.
   *
   * @param parts all that an entry depends on, versions of what makes it included
   */
  static keyOf(parts: readonly (string | Uint8Array)[]): string {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(`${Buffer.byteLength(part)} `).update(part);
    return hash.digest('hex');
  }

  /** Why nothing is taken from here, a sentence without its full stop; undefined where it is. Makes the folder. */
  async unusable(): Promise<string | undefined> {
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      const { uid, mode } = await stat(this.folder);
      const isOwn = process.geteuid === undefined || (uid === process.geteuid() && (mode & WRITABLE_BY_OTHERS) === 0);
      if (!isOwn) return `${this.folder} is another user's, or one that others may write to`;
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** Why nothing can be kept here, likewise. */
  async unwritable(): Promise<string | undefined> {
    try {
      await access(this.folder, constants.W_OK);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** A name for a file of this process alone in the folder, where an engine may write. It is the caller's to remove. */
  temporaryFile(): string {
    return path.join(this.folder, `.${randomUUID()}.compiled.tmp`);
  }

  /** The bytes of an entry, which is used now; undefined where there is none that is whole. */
  async find(key: string): Promise<Uint8Array | undefined> {
    const file = this.#fileOf(key);
    try {
      if (!(await lstat(file)).isFile()) return undefined;
      const entry = await readFile(file);
      const bytes = entry.subarray(HEAD_BYTES);
      if (!entry.subarray(0, HEAD_BYTES).equals(headOf(key, bytes))) {
        await this.remove(key);
        return undefined;
      }
      const now = new Date();
      await utimes(file, now, now).catch(() => undefined);
      return bytes;
    } catch {
      return undefined;
    }
  }

  /** Keeps an entry, whole or not at all. Returns why it could not, a sentence without its full stop; undefined where it did. */
  async keep(key: string, bytes: Uint8Array): Promise<string | undefined> {
    const head = headOf(key, bytes);
    if (head.length + bytes.length > this.#mostBytes) return `it takes ${bytes.length} bytes of ${this.#mostBytes}`;
    try {
      await writeDurably(this.#fileOf(key), [head, bytes]);
      await this.#makeRoom();
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** Removes an entry that is of no use. */
  async remove(key: string): Promise<void> {
    await removed(this.#fileOf(key));
  }

  async #makeRoom(): Promise<void> {
    const found = await Promise.all(
      (await readdir(this.folder)).map(async (name) => {
        const file = path.join(this.folder, name);
        // Another process may have removed it.
        const stats = await lstat(file).catch(() => undefined);
        return stats?.isFile() === true ? { file, name, size: stats.size, usedMs: stats.mtimeMs } : undefined;
      }),
    );
    const files = found.filter((one) => one !== undefined);
    const leftOver = files.filter(
      ({ name, usedMs }) => IS_TEMPORARY.test(name) && usedMs < Date.now() - LEFT_OVER_AFTER_MS,
    );
    for (const { file } of leftOver) await removed(file);
    const entries = files.filter(({ name }) => IS_ENTRY.test(name)).toSorted((a, b) => b.usedMs - a.usedMs);
    let bytes = 0;
    for (const { file, size } of entries) {
      bytes += size;
      if (bytes > this.#mostBytes) await removed(file);
    }
  }

  #fileOf(key: string): string {
    return path.join(this.folder, `${key}.compiled`);
  }
}

const IS_ENTRY = /^[0-9a-f]{64}\.compiled$/;
/** Of this cache and of `writeDurably`: there may be others' in the folder. */
const IS_TEMPORARY = /^\.(?:[0-9a-f]{64}\.compiled\.[0-9a-f-]{36}|[0-9a-f-]{36}\.compiled)\.tmp$/;
const WRITABLE_BY_OTHERS = 0o022;
const FORMAT = 'longrun compiled 1';
const DIGEST_DIGITS = 64;
const HEAD_BYTES = FORMAT.length + 2 * DIGEST_DIGITS + 3;

/** What stands before the bytes of an entry. */
function headOf(key: string, bytes: Uint8Array): Buffer {
  const digest = createHash('sha256').update(key).update(bytes).digest('hex');
  return Buffer.from(`${FORMAT}\n${key}\n${digest}\n`);
}

async function removed(file: string): Promise<void> {
  await rm(file, { force: true }).catch(() => undefined);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
