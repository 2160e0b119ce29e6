import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder whose disk can be made unusable, for a worker's state. */
export interface Disk {
  readonly folder: string;
  /** In what way it is broken. */
  readonly how: string;
  /** What the worker's check is to say then. */
  readonly fault: RegExp;
  break(): void;
  /** Also where it is not broken. */
  mend(): void;
  /** It is gone, and its folder. */
  end(): void;
}

/**
 * A disk of 64 MB that can be filled; where mounting is not permitted, a folder in which a file stands in the way of another folder.
 *
 * @param folder Where it is. Default: a temporary one
 * @param needed The folder in it that a worker needs. Default: that of caches
 */
export function smallDisk(folder = join(tmpdir(), `longrun-disk-${randomUUID()}`), needed = 'cache'): Disk {
  mkdirSync(folder, { recursive: true });
  return isMounted(folder) ? new FullDisk(folder) : new BlockedFolder(folder, needed);
}

function isMounted(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'longrun-test', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

class FullDisk implements Disk {
  readonly how = 'its disk is full';
  readonly fault = /No space|ENOSPC/;
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  break(): void {
    const file = openSync(this.#filler, 'w');
    try {
      for (const block of [Buffer.alloc(2 ** 20), Buffer.alloc(2 ** 12)]) while (wrote(file, block));
    } finally {
      closeSync(file);
    }
  }

  mend(): void {
    rmSync(this.#filler, { force: true });
  }

  end(): void {
    execFileSync('umount', ['-l', this.folder]);
    rmSync(this.folder, { recursive: true });
  }

  get #filler(): string {
    return join(this.folder, 'filler');
  }
}

class BlockedFolder implements Disk {
  readonly how: string;
  readonly fault = /EEXIST|ENOTDIR/;
  readonly folder: string;
  readonly #needed: string;

  constructor(folder: string, needed: string) {
    this.folder = folder;
    this.how = `a file stands where its ${needed} should be, as mounting a disk is not permitted here`;
    this.#needed = join(folder, needed);
  }

  break(): void {
    rmSync(this.#needed, { recursive: true, force: true });
    writeFileSync(this.#needed, '');
  }

  mend(): void {
    rmSync(this.#needed, { recursive: true, force: true });
  }

  end(): void {
    rmSync(this.folder, { recursive: true });
  }
}

function wrote(file: number, block: Buffer): boolean {
  try {
    return writeSync(file, block) > 0;
  } catch {
    return false;
  }
}
