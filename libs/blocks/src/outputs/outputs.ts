import { mkdirSync, writeFileSync } from 'node:fs';
import { chmod, constants, copyFile, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { Output, type CapturedOutput } from './output.js';

/** Bounds of {@link Outputs}. */
export interface OutputsOptions {
  /** How many files there may be. Default 100. */
  readonly maxFiles?: number;
  /** How many bytes they may have together. Each snapshot copies them. Default 1 GiB. */
  readonly maxSizeBytes?: number;
}

/** A file of a snapshot that an output is put back from. */
export interface SavedOutput {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * The files that a program writes as it trains, in a working folder of their own: samples, pictures, tables. Given to a main loop
 * they are part of its state.
 */
export class Outputs {
  readonly folder: string;
  readonly maxFiles: number;
  readonly maxSizeBytes: number;
  readonly #outputs = new Map<string, Output>();
  #folderMade = false;

  private constructor(folder: string, options: OutputsOptions) {
    this.folder = folder;
    this.maxFiles = options.maxFiles ?? 100;
    this.maxSizeBytes = options.maxSizeBytes ?? 2 ** 30;
  }

  /**
   * Outputs of which there are none yet: what an earlier run left in the folder is removed. The folder is made when something is
   * written.
   *
   * @throws ForeignFolder when there is something in it that is not from outputs; it is left as it is
   */
  static async open(folder: string, options: OutputsOptions = {}): Promise<Outputs> {
    const absolute = path.resolve(folder);
    const names = await readdir(absolute).catch((error: NodeJS.ErrnoException): string[] => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    if (names.length > 0 && !names.includes(MARK)) throw new ForeignFolder(absolute);
    for (const name of names) if (name !== MARK) await rm(path.join(absolute, name), { recursive: true });
    return new Outputs(absolute, options);
  }

  /** The names of the files that there are, sorted. */
  get names(): readonly string[] {
    return this.#existing().map(({ name }) => name);
  }

  /**
   * The file of that name; there is none before something is written. The same name gives the same handle.
   *
   * @throws RangeError for something that is not a plain file name, or for one name too many
   */
  output(name: string): Output {
    const present = this.#outputs.get(name);
    if (present !== undefined) return present;
    if (!OUTPUT_NAME.test(name)) {
      throw new RangeError(
        `output ${JSON.stringify(name)}: give a plain file name of at most ${MAX_NAME_LENGTH} characters from A-Z a-z 0-9 . _ - ` +
          'that starts with no dot',
      );
    }
    if (this.#outputs.size >= this.maxFiles) {
      throw new RangeError(
        `output ${name}: there are ${this.maxFiles} outputs, and there may be no more; write less often, or more into each`,
      );
    }
    const output = new Output(name, this.folder, (sizeBytes) => this.#prepare(output, sizeBytes));
    this.#outputs.set(name, output);
    return output;
  }

  /** All files as they are now, whatever is written later. Takes no time; each is to be closed. */
  capture(): readonly CapturedOutput[] {
    return this.#existing()
      .map((output) => output.capture())
      .filter((captured) => captured !== undefined);
  }

  /** Makes the files those that were saved, and no others. */
  async restore(saved: readonly SavedOutput[]): Promise<void> {
    const kept = new Set(saved.map(({ name }) => name));
    for (const output of this.#existing()) if (!kept.has(output.name)) output.remove();
    for (const { name, path: source, sizeBytes } of saved) {
      // A clone where the file system can, for it may be large.
      await this.output(name).replace(sizeBytes, async (target) => {
        await copyFile(source, target, constants.COPYFILE_FICLONE);
        // What is in a checkpoint may be read-only, and a copy is then, too.
        await chmod(target, ((await stat(target)).mode & 0o777) | 0o200);
      });
    }
  }

  #existing(): Output[] {
    return [...this.#outputs.values()].filter(({ exists }) => exists).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  #prepare(output: Output, sizeBytes: number): void {
    const others = this.#existing().reduce((total, one) => (one === output ? total : total + one.sizeBytes), 0);
    if (others + sizeBytes > this.maxSizeBytes) {
      throw new RangeError(
        `output ${output.name}: with ${sizeBytes} bytes in it the outputs would have ${others + sizeBytes}, ` +
          `and may have ${this.maxSizeBytes}; write less, or replace what was written`,
      );
    }
    if (this.#folderMade) return;
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(path.join(this.folder, MARK), 'The files here are outputs of a run, which the next run removes.\n');
    this.#folderMade = true;
  }
}

/** A folder that is not one of outputs: what is in it would be lost. */
export class ForeignFolder extends Error {
  override readonly name = 'ForeignFolder';

  constructor(folder: string) {
    super(
      `${folder} has files that are not outputs of a run, which would be removed; give an empty folder for outputs`,
    );
  }
}

/** What an output is called in a snapshot begins with it. */
export const OUTPUT_PREFIX = 'output.';

// A snapshot's file name has 200 characters at most.
const MAX_NAME_LENGTH = 200 - OUTPUT_PREFIX.length;

/** A name that {@link Outputs} takes. */
export const OUTPUT_NAME = new RegExp(`^[\\w-][\\w.-]{0,${MAX_NAME_LENGTH - 1}}$`, 'u');

/** The file by which a folder of outputs is known. */
const MARK = '.longrun-outputs';
