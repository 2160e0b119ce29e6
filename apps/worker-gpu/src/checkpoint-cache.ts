import { constants } from 'node:fs';
import { copyFile, type FileHandle, link, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileCache, WantedFile } from '@longrun/platform/worker';
import {
  linkOpenFile,
  type LocalFiles,
  type Manifest,
  type ManifestFile,
  readPieces,
  writeDurably,
} from '@longrun/serialization';
import { type OwnedFile, ownFile } from './owned-file.js';

/**
 * The files of the newest checkpoints of one experiment on the local disk, so that who goes on here need not read the store. A trainer made
 * them and may have them open for writing: they serve nobody but its own experiment. Whatever cannot be kept is left out; nothing here fails.
 */
export class CheckpointCache implements LocalFiles {
  readonly #files: FileCache;
  readonly #part: string;
  readonly #most: number;
  /** Of each of the newest checkpoints, oldest first, the names by which its files are kept. */
  readonly #newest: (readonly string[])[] = [];

  /**
   * @param part what belongs to this experiment alone: its id
   * @param keepLast how many checkpoints are kept in the store: no more are here
   */
  constructor(files: FileCache, part: string, { keepLast }: { readonly keepLast: number }) {
    this.#files = files;
    this.#part = part;
    this.#most = Math.min(MOST_CHECKPOINTS, keepLast);
  }

  async place(file: ManifestFile, target: string): Promise<boolean> {
    const held = await this.#files.take(this.#wanted(file));
    if (held === undefined) return false;
    try {
      await link(held.path, target).catch(() => copyFile(held.path, target, constants.COPYFILE_FICLONE));
      return true;
    } catch {
      await rm(target, { force: true }).catch(() => {});
      return false;
    } finally {
      await held.release();
    }
  }

  /** Keeps the files of a checkpoint that has been committed from them, and of the one before; older ones go. */
  async keep(manifest: Manifest, files: readonly OwnedFile[]): Promise<void> {
    for (const file of manifest.files) {
      const source = files.find(({ name }) => name === file.name);
      if (source?.writtenNs === undefined || (await this.#files.touch(this.#wanted(file).name))) continue;
      await this.#add(file, source).catch(() => {});
    }
    this.#newest.push(manifest.files.map((file) => this.#wanted(file).name));
    this.#newest.splice(0, this.#newest.length - this.#most);
    const named = new Set(this.#newest.flat());
    await this.#files.forget((name) => this.#isOwn(name) && !named.has(name));
  }

  /** Keeps the files of the checkpoint that was fetched to a folder. */
  async keepFetched(manifest: Manifest, folder: string): Promise<void> {
    const handles: FileHandle[] = [];
    try {
      const owned: OwnedFile[] = [];
      for (const { name } of manifest.files) {
        const path = join(folder, name);
        const handle = await open(path, 'r');
        handles.push(handle);
        owned.push(await ownFile({ name, path, handle }, FOR_TRAINERS));
      }
      await this.keep(manifest, owned);
    } catch {
      // They are fetched again.
    } finally {
      for (const handle of handles) await handle.close();
    }
  }

  /** The experiment has ended: nobody goes on with it. */
  async forget(): Promise<void> {
    await this.#files.forget((name) => this.#isOwn(name));
  }

  async #add(file: ManifestFile, { path, handle, writtenNs }: OwnedFile): Promise<void> {
    const wanted = this.#wanted(file);
    const held = await this.#files.add(wanted, async (target) => {
      if (!(await linkOpenFile(path, handle, target))) await copyOf(handle, wanted, target);
    });
    await held.release();
    const now = await handle.stat({ bigint: true });
    // Between the commit and the mark somebody has written it.
    if (now.mtimeNs !== writtenNs) await this.#files.forget((name) => name === wanted.name);
  }

  #wanted({ sha256, sizeBytes }: ManifestFile): WantedFile {
    return { name: `${this.#part}.${sha256}`, sha256, sizeBytes };
  }

  #isOwn(name: string): boolean {
    return name.startsWith(`${this.#part}.`);
  }
}

/** What was fetched is read by a trainer, which may be another user. */
const FOR_TRAINERS = 0o444;

/** The newest, and one before for when that is damaged in the store. */
const MOST_CHECKPOINTS = 2;

async function copyOf(handle: FileHandle, { sha256, sizeBytes }: WantedFile, target: string): Promise<void> {
  const written = await writeDurably(target, readPieces(handle, sizeBytes));
  if (written.sha256 !== sha256) throw new Error(`${target} has SHA-256 ${written.sha256} instead of ${sha256}`);
}
