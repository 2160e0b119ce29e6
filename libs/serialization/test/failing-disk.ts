import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { onTestFinished } from 'vitest';

import { isOfProgram, mountInMemory, unmount } from './small-disk.js';

const IMAGE_BYTES = 6 << 20;
const BLOCK_BYTES = 4_096;

/** Why no disk that fails can be had here, in words for a test's name; undefined where one can. */
export const WITHOUT_FAILING_DISKS = withoutFailingDisks();

/**
 * A file system on a device that can lose all but its front, where folders are, and files of less than 3 kB: what else is to be read, or
 * written, fails with EIO then. It is gone after its test.
 */
export class FailingDisk {
  readonly folder: string;
  readonly #image: string;
  readonly #device: string;
  readonly #frontBlocks: number;

  constructor() {
    const { below, folder, image } = mountImage();
    onTestFinished(() => unmountImage(below, folder));
    this.folder = folder;
    this.#image = image;
    this.#device = deviceOf(folder);
    this.#frontBlocks = IMAGE_BYTES / BLOCK_BYTES - statfsSync(folder).bfree;
  }

  /** Only the front is there from here on. Nothing is remembered of what was read before. */
  break(): void {
    run('sync', '-f', this.folder);
    copyFileSync(this.#image, this.#copy);
    this.#resize(this.#frontBlocks * BLOCK_BYTES);
  }

  /** All is there again, as it was when it broke. */
  mend(): void {
    truncateSync(this.#image, IMAGE_BYTES);
    const places = [`bs=${BLOCK_BYTES}`, `skip=${this.#frontBlocks}`, `seek=${this.#frontBlocks}`];
    run('dd', `if=${this.#copy}`, `of=${this.#image}`, ...places, 'conv=notrunc,sparse');
    this.#resize(IMAGE_BYTES);
  }

  #resize(sizeBytes: number): void {
    truncateSync(this.#image, sizeBytes);
    run('losetup', '-c', this.#device);
    for (const entry of readdirSync(this.folder, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) run('dd', `if=${path.join(entry.parentPath, entry.name)}`, 'iflag=nocache', 'count=0');
  }

  get #copy(): string {
    return `${this.#image}-copy`;
  }
}

interface MountedImage {
  readonly below: string;
  readonly folder: string;
  readonly image: string;
}

function mountImage(): MountedImage {
  const below = mountInMemory({ names: 16 });
  try {
    const [folder, image] = [path.join(below, 'mounted'), path.join(below, 'image')];
    mkdirSync(folder);
    writeFileSync(image, '');
    truncateSync(image, IMAGE_BYTES);
    // Whatever fits is kept in the table of inodes, with no gaps before or in it; nothing is written later behind anybody's back.
    const features = ['-O', 'inline_data,^has_journal,^resize_inode,^flex_bg', '-E', 'lazy_itable_init=0,nodiscard'];
    run('mkfs.ext4', '-q', '-b', `${BLOCK_BYTES}`, '-I', `${BLOCK_BYTES}`, '-N', '256', ...features, image);
    run('mount', '-o', 'loop,errors=continue', image, folder);
    return { below, folder, image };
  } catch (error) {
    unmount(below);
    throw error;
  }
}

function unmountImage(below: string, folder: string): void {
  run('umount', '-l', folder);
  unmount(below);
}

function deviceOf(folder: string): string {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const [device] = mounts.find((line) => line.split(' ')[1] === folder)?.split(' ') ?? [];
  if (device === undefined) throw new Error(`nothing is mounted at ${folder}`);
  return device;
}

function withoutFailingDisks(): string | undefined {
  try {
    const { below, folder } = mountImage();
    unmountImage(below, folder);
    return undefined;
  } catch (error) {
    if (!isOfProgram(error)) throw error;
    return 'did not run, as mounting an image of a disk is not permitted here';
  }
}

function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
