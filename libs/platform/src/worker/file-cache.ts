import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { isDiskFull, TemporaryFiles } from '@longrun/serialization';

import { FileMark } from './file-mark.js';

/** A file by what it is to be. */
export interface WantedFile {
  /** What it is kept by: A-Z a-z 0-9 . _ -. What is kept under a name serves only who asks by that name. */
  readonly name: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** A file that stays where it is until it is released. */
export interface HeldFile {
  /** Absolute. To be read, by whoever gets to the folder of the cache, and not to be written. */
  readonly path: string;
  /** It may be removed from now on. Never fails. */
  release(): Promise<void>;
}

export interface FileCacheOptions {
  /** How many bytes are kept at most, files in use included; Infinity for as many as the disk takes. */
  readonly mostBytes: number;
}

/**
 * Files on the local disk that are kept between attempts, by their SHA-256, shared by all workers of this machine. What was used least
 * recently goes first, and what somebody holds stays. Who reads a file is told of one that is whole: it was hashed once, and is hashed again
 * only when the file system says that it may have changed since.
 *
 * Needs no lock: `kept/<name>~<number>/` has the file, its mark and the folder `pins`, in which everybody who holds it has a file. The folder
 * of pins can be removed only while it is empty, and nobody can hold what has none any more; the rest goes then. A number is given once.
 */
export class FileCache {
  readonly folder: string;
  readonly #kept: string;
  readonly #drafts: TemporaryFiles;
  readonly #mostBytes: number;

  /** @param folder made when something is kept; who may get there is for its owner to say */
  constructor(folder: string, { mostBytes }: FileCacheOptions) {
    this.folder = folder;
    this.#mostBytes = mostBytes;
    this.#kept = join(folder, 'kept');
    this.#drafts = new TemporaryFiles(join(folder, 'new'));
  }

  /** The file, if it is kept and whole; to be released. What is not whole is removed. Never fails. */
  async take(wanted: WantedFile): Promise<HeldFile | undefined> {
    for (const entry of await this.#entriesOf(wanted.name)) {
      const pin = await entry.pin();
      if (pin === undefined) continue;
      if (await entry.mark.isWhole(wanted, this.#drafts)) return new Held(entry.file, pin);
      await rm(pin, { force: true }).catch(() => {});
      await this.#remove(entry);
    }
    return undefined;
  }

  /** Whether a file of this name is kept, which counts as used now. It is not looked at. Never fails. */
  async touch(name: string): Promise<boolean> {
    for (const entry of await this.#entriesOf(name)) {
      const pin = await entry.pin();
      if (pin === undefined) continue;
      await rm(pin, { force: true }).catch(() => {});
      return true;
    }
    return false;
  }

  /**
   * Keeps a file, and holds it; to be released. One for which there is no room beside what is in use is not kept: it is gone once it is
   * released. On a full disk what is not in use is removed, and the file made once more.
   *
   * @param make makes it at a path where nothing is, and looks that it is the one that is wanted; what it throws is thrown on
   */
  async add(wanted: WantedFile, make: (path: string) => Promise<void>): Promise<HeldFile> {
    checkName(wanted.name);
    const fits = await this.#makeRoom(wanted.sizeBytes);
    const draft = new Entry(this.#drafts.next());
    const held = new Held(draft.file, draft.folder);
    try {
      for (const [folder, mode] of [
        [this.folder, undefined],
        [this.#drafts.folder, OPEN],
        [this.#kept, OPEN],
        [draft.folder, OPEN],
        [draft.pins.folder, undefined],
      ] as const) {
        await mkdir(folder, { recursive: true });
        if (mode !== undefined) await chmod(folder, mode);
      }
      await this.#make(wanted, draft.file, make);
      await chmod(draft.file, READ_ONLY);
      if (fits) await this.#publish(draft, wanted, held);
      return held;
    } catch (error) {
      await held.release();
      throw error;
    }
  }

  /** Removes files that nobody holds. Never fails. */
  async forget(isForgotten: (name: string) => boolean): Promise<void> {
    for (const entry of await this.#entries()) if (isForgotten(entry.name)) await this.#remove(entry);
  }

  async #make(wanted: WantedFile, path: string, make: (path: string) => Promise<void>): Promise<void> {
    try {
      await make(path);
    } catch (error) {
      if (!isDiskFull(error) || (await this.#free(wanted.sizeBytes)) === 0) throw error;
      await rm(path, { force: true });
      await make(path);
    }
  }

  /** Gives a file that was made its place. Where that cannot be it stays where it is. */
  async #publish(draft: Entry, wanted: WantedFile, held: Held): Promise<void> {
    const pin = await draft.pin();
    if (pin === undefined) return;
    await draft.mark.set(wanted, this.#drafts);
    const entry = new Entry(join(this.#kept, `${wanted.name}~${randomUUID()}`));
    try {
      await rename(draft.folder, entry.folder);
    } catch {
      return;
    }
    held.moved(entry.file, join(entry.pins.folder, basename(pin)));
    // Others may have added theirs meanwhile.
    await this.#makeRoom(0);
  }

  /** Removes what was not used for longest until so many bytes can be added. False, and nothing was removed, where that cannot be. */
  async #makeRoom(sizeBytes: number): Promise<boolean> {
    await this.#drafts.sweep().catch(() => {});
    const { used, idle } = await this.#facts();
    const excess = sum([...used, ...idle]) + sizeBytes - this.#mostBytes;
    // With several in use it may be more than is allowed, and nothing can be done about it.
    if (excess > sum(idle)) return false;
    return (await this.#removeOldest(idle, excess)) >= excess;
  }

  /** Removes what was not used for longest until so many bytes are free. Answers how many were freed. */
  async #free(sizeBytes: number): Promise<number> {
    const { idle } = await this.#facts();
    return await this.#removeOldest(idle, sizeBytes);
  }

  async #removeOldest(idle: readonly EntryFacts[], sizeBytes: number): Promise<number> {
    let removed = 0;
    for (const { entry, sizeBytes: size } of idle.toSorted((a, b) => a.usedMs - b.usedMs)) {
      if (removed >= sizeBytes) break;
      if (await this.#remove(entry)) removed += size;
    }
    return removed;
  }

  /** What is kept, by whether somebody holds it. What others have left half removed is removed. */
  async #facts(): Promise<{ readonly used: EntryFacts[]; readonly idle: EntryFacts[] }> {
    const used: EntryFacts[] = [];
    const idle: EntryFacts[] = [];
    for (const entry of await this.#entries()) {
      const facts = await entry.facts().catch(() => undefined);
      if (facts === undefined) await this.#remove(entry);
      else (facts.isUsed ? used : idle).push(facts);
    }
    return { used, idle };
  }

  /** False where somebody holds it, or the disk refuses. */
  async #remove(entry: Entry): Promise<boolean> {
    try {
      await rmdir(entry.pins.folder);
    } catch (error) {
      // Without pins it is nobody's: who removed them may have died.
      if (!isAbsent(error)) return false;
    }
    return await rm(entry.folder, { recursive: true, force: true }).then(
      () => true,
      () => false,
    );
  }

  async #entriesOf(name: string): Promise<Entry[]> {
    checkName(name);
    return (await this.#entries()).filter((entry) => entry.name === name);
  }

  async #entries(): Promise<Entry[]> {
    const names = await readdir(this.#kept).catch(() => []);
    return names.map((name) => new Entry(join(this.#kept, name)));
  }
}

interface EntryFacts {
  readonly entry: Entry;
  readonly sizeBytes: number;
  readonly usedMs: number;
  readonly isUsed: boolean;
}

/** A folder with a file, its mark, and the pins of those who hold it. */
class Entry {
  readonly folder: string;
  readonly file: string;
  readonly mark: FileMark;
  readonly pins: TemporaryFiles;

  constructor(folder: string) {
    this.folder = folder;
    this.file = join(folder, 'file');
    this.mark = new FileMark(this.file, join(folder, 'mark'));
    this.pins = new TemporaryFiles(join(folder, 'pins'));
  }

  get name(): string {
    const [name = ''] = basename(this.folder).split('~');
    return name;
  }

  /** Keeps it from being removed; the path of the pin. Undefined where it is being removed, or the disk refuses. */
  async pin(): Promise<string | undefined> {
    const pin = this.pins.next();
    return await writeFile(pin, '', { flag: 'wx' }).then(
      () => pin,
      () => undefined,
    );
  }

  /** Throws where it is not whole. A pin that comes or goes writes its folder: that is when it was used. */
  async facts(): Promise<EntryFacts> {
    const { mtimeMs: usedMs } = await stat(this.pins.folder);
    const { size } = await stat(this.file);
    const isUsed = (await readdir(this.pins.folder)).length > 0 && (await this.#isPinned());
    return { entry: this, sizeBytes: size, usedMs, isUsed };
  }

  async #isPinned(): Promise<boolean> {
    await this.pins.sweep();
    return (await readdir(this.pins.folder)).length > 0;
  }
}

/** Holds a file by what says so: a pin, or the folder of a draft. */
class Held implements HeldFile {
  path: string;
  #holder: string;
  readonly #fresh: NodeJS.Timeout;

  constructor(path: string, holder: string) {
    this.path = path;
    this.#holder = holder;
    // Others may not see this process, and go by when its files were written last.
    this.#fresh = setInterval(() => {
      const now = new Date();
      utimes(this.#holder, now, now).catch(() => {});
    }, FRESH_MS).unref();
  }

  /** It has another place, and something else holds it there. */
  moved(path: string, holder: string): void {
    this.path = path;
    this.#holder = holder;
  }

  async release(): Promise<void> {
    clearInterval(this.#fresh);
    await rm(this.#holder, { recursive: true, force: true }).catch(() => {});
  }
}

/** Well below the hour after which temporary files count as left behind. */
const FRESH_MS = 10 * 60_000;
/** Others than the worker's user may read what is kept, where its owner lets them get to the cache. */
const OPEN = 0o755;
const READ_ONLY = 0o444;
const NAME = /^[\w-]+(?:\.[\w-]+)*$/u;

function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new RangeError(`FileCache: ${JSON.stringify(name)} is no name of a file; give A-Z a-z 0-9 . _ -`);
}

function sum(facts: readonly EntryFacts[]): number {
  return facts.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
