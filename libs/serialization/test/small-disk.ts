import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { onTestFinished } from 'vitest';

/** Why no disk can be mounted here, in words for a test's name; undefined where one can. */
export const WITHOUT_DISKS = withoutDisks();

/** What a disk can be short of: room for bytes, a page of 4 KiB at a time, or for names of files. */
export type Scarce = 'pages' | 'names';

/** A file system of its own, of 4,096 pages of 4 KiB, that is gone after its test. */
export class SmallDisk {
  readonly folder: string;

  /** @param names of files and folders, for how many there is room */
  constructor({ names = 256 } = {}) {
    const folder = mountInMemory({ names });
    this.folder = folder;
    onTestFinished(() => unmount(folder));
  }

  /** Leaves so much of what is scarce, and no more. */
  leave(count: number, scarce: Scarce): void {
    this.free();
    mkdirSync(this.#filler);
    const { bavail, bsize, ffree } = statfsSync(this.folder);
    if (scarce === 'pages') {
      writeFileSync(path.join(this.#filler, 'pages'), Buffer.alloc((bavail - count) * bsize, 1));
    } else {
      for (let number = count; number < ffree; number += 1)
        closeSync(openSync(path.join(this.#filler, `${number}`), 'wx'));
    }
  }

  /** All room is there again that was taken by {@link leave}. */
  free(): void {
    rmSync(this.#filler, { recursive: true, force: true });
  }

  get #filler(): string {
    return path.join(this.folder, 'filler');
  }
}

/** Mounts a file system in memory, with nothing in it; answers where. */
export function mountInMemory({ names }: { readonly names: number }): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'small-disk-'));
  const options = `size=16m,nr_inodes=${names},mode=0755`;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'longrun-test', folder], { stdio: 'pipe' });
    return folder;
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
}

/** Takes away what was mounted, and its folder. */
export function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder]);
  rmSync(folder, { recursive: true });
}

function withoutDisks(): string | undefined {
  try {
    unmount(mountInMemory({ names: 1 }));
    return undefined;
  } catch (error) {
    if (!isOfProgram(error)) throw error;
    return 'did not run, as mounting a disk is not permitted here';
  }
}

/** Whether a program has failed, or is not there. */
export function isOfProgram(error: unknown): boolean {
  return error instanceof Error && 'status' in error && 'stderr' in error;
}
