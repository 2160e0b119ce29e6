import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { hashFile, syncFile, type TemporaryFiles } from '@longrun/serialization';

/** What the bytes of a file are to be. */
interface Content {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * A note beside a file, which says what its bytes were when they were looked at. While the file system says that it is the same one,
 * unchanged since, it need not be read again. Who may write the note is believed.
 */
export class FileMark {
  readonly #file: string;
  readonly #mark: string;

  constructor(file: string, mark: string) {
    this.#file = file;
    this.#mark = mark;
  }

  /**
   * Whether the file has these bytes, by its mark or else by its SHA-256; then it has a mark again. Never fails: what cannot be read is not whole.
   *
   * @param drafts where files are made, on the same disk
   */
  async isWhole(content: Content, drafts: TemporaryFiles): Promise<boolean> {
    try {
      const { size } = await stat(this.#file);
      if (size !== content.sizeBytes) return false;
      const marked = await readFile(this.#mark, 'utf8').catch(() => undefined);
      if (marked === noteOf(content, await identityOf(this.#file))) return true;
      const before = await settledIdentity(this.#file);
      if ((await hashFile(this.#file)).sha256 !== content.sha256) return false;
      await this.#write(noteOf(content, before), drafts);
      return true;
    } catch {
      return false;
    }
  }

  /** Marks a file whose bytes are known, of which nobody can have changed any since. What cannot be marked is hashed when it is asked for. */
  async set(content: Content, drafts: TemporaryFiles): Promise<void> {
    try {
      // The mark must not outlive the bytes when the machine falls.
      await syncFile(this.#file);
      await this.#write(noteOf(content, await settledIdentity(this.#file)), drafts);
    } catch {
      // It has none.
    }
  }

  /** Whole or not at all. */
  async #write(note: string, drafts: TemporaryFiles): Promise<void> {
    const draft = drafts.next();
    try {
      await writeFile(draft, note);
      await rename(draft, this.#mark);
    } catch {
      await rm(draft, { force: true });
    }
  }
}

/** What the file system says of a file: it cannot be written without that changing, for nobody but the system sets `changedNs`. */
interface Identity {
  readonly device: string;
  readonly inode: string;
  readonly sizeBytes: string;
  readonly writtenNs: string;
  readonly changedNs: string;
}

async function identityOf(path: string): Promise<Identity> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return {
    device: String(dev),
    inode: String(ino),
    sizeBytes: String(size),
    writtenNs: String(mtimeNs),
    changedNs: String(ctimeNs),
  };
}

/** The identity of a file once the clock of the file system has gone on since it was changed: the next change will have another time. */
async function settledIdentity(path: string): Promise<Identity> {
  const { ctimeMs } = await stat(path);
  if (Math.abs(Date.now() - ctimeMs) < CLOCK_TICK_MS) await sleep(CLOCK_TICK_MS);
  return await identityOf(path);
}

function noteOf({ sha256 }: Content, identity: Identity): string {
  return JSON.stringify({ sha256, ...identity });
}

/** Times of files are those of the last tick of the system's clock, which ticks every 10 ms at the slowest. */
const CLOCK_TICK_MS = 20;
