import { closeSync, mkdirSync, openSync, write as writeWithCallback, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encodeLogEntry, type LogEntry, type LogFile } from '@longrun/serialization';

/** Log rows on the local disk, to be kept in the object store. */
export interface SpooledRows {
  readonly files: readonly LogFile[];
  /** Resolves when all of them are on the disk; rejects if they could not be written. */
  readonly written: Promise<void>;
  /**
   * Says that they are part of a checkpoint, and deletes what no later one needs. A file that cannot be deleted is left to those who
   * delete the folder.
   */
  discard(): Promise<void>;
}

/**
 * Keeps the log rows of a trainer on the local disk until they are part of a checkpoint. Adding never waits for the disk, unless
 * that is so slow that a quarter of a megabyte would have to be kept in memory.
 */
export class LogSpool {
  readonly #folder: string;
  #fileCount = 0;
  #current: SpoolFile | undefined;
  /** What was handed over and is part of no checkpoint yet. */
  #handedOver: readonly SpooledFile[] = [];
  /** Files of earlier cuts with rows of steps that none of them wanted, and the first such step. */
  #left: readonly { readonly file: SpoolFile; readonly fromStep: number }[] = [];

  /** @param folder of this spool alone; it is made when there is a row */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Adds a row. An error of the disk is said when it is handed over. */
  add(entry: LogEntry): void {
    if (this.#current === undefined) {
      this.#fileCount += 1;
      this.#current = new SpoolFile(this.#folder, `rows-${this.#fileCount}.ndjson`);
    }
    this.#current.add(entry);
  }

  /**
   * Hands over the rows so far, in the order in which they came, but those that were handed over before.
   *
   * @param beforeStep only rows of earlier steps: later ones stay for the next call. Default: all
   */
  cut(beforeStep = Infinity): SpooledRows {
    const files: readonly { readonly file: SpoolFile; readonly fromStep?: number }[] =
      this.#current === undefined ? this.#left : [...this.#left, { file: this.#current }];
    this.#current = undefined;
    this.#left = files
      .filter(({ file }) => file.lastStep >= beforeStep)
      .map(({ file, fromStep = 0 }) => ({ file, fromStep: Math.max(fromStep, beforeStep) }));
    const over = files.filter(({ file }) => file.lastStep < beforeStep);
    const written = Promise.all(files.map(async ({ file }) => await file.close())).then(() => undefined);
    // Nobody waits for it if the attempt is abandoned.
    written.catch(() => undefined);
    const cut = files.map(({ file, fromStep }): SpooledFile => ({
      file,
      rows: { path: file.path, fromStep, beforeStep },
    }));
    this.#handedOver = [...this.#handedOver, ...cut];
    return {
      files: cut.map(({ rows }) => rows),
      written,
      discard: async () => {
        this.#handedOver = this.#handedOver.filter((each) => !cut.includes(each));
        for (const { file } of over) await rm(file.path, { force: true }).catch(() => undefined);
      },
    };
  }

  /** Hands over all rows that are part of no checkpoint, those of cuts that were not discarded among them. */
  rest(): Omit<SpooledRows, 'discard'> {
    this.cut();
    const rest = this.#handedOver;
    const written = Promise.all(rest.map(async ({ file }) => await file.close())).then(() => undefined);
    written.catch(() => undefined);
    return { files: rest.map(({ rows }) => rows), written };
  }
}

/** Rows of one file. */
interface SpooledFile {
  readonly file: SpoolFile;
  readonly rows: LogFile;
}

/** One file, written behind. */
class SpoolFile {
  readonly path: string;
  /** Highest step of its rows. */
  lastStep = -1;
  readonly #descriptor: number | undefined;
  #pending: string[] = [];
  #pendingBytes = 0;
  /** Where the next bytes go. */
  #position = 0;
  #writing: Promise<void> | undefined;
  /** The first error, after which nothing is kept. */
  #error: unknown;
  #closed: Promise<void> | undefined;

  constructor(folder: string, name: string) {
    this.path = join(folder, name);
    try {
      mkdirSync(folder, { recursive: true });
      this.#descriptor = openSync(this.path, 'w');
    } catch (error) {
      this.#error = error;
    }
  }

  add(entry: LogEntry): void {
    if (this.#error !== undefined) return;
    const line = encodeLogEntry(entry);
    this.lastStep = Math.max(this.lastStep, entry.step);
    this.#pending.push(line);
    this.#pendingBytes += Buffer.byteLength(line);
    if (this.#pendingBytes > MAX_PENDING_BYTES) this.#writeNow();
    else this.#writing ??= this.#writeBehind();
  }

  /** Resolves when all its rows are on the disk. None is added any more. */
  async close(): Promise<void> {
    this.#closed ??= this.#close();
    return await this.#closed;
  }

  async #close(): Promise<void> {
    await this.#writing;
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    if (this.#error !== undefined) throw this.#error;
  }

  async #writeBehind(): Promise<void> {
    while (this.#pending.length > 0) {
      let { bytes, position } = this.#take();
      try {
        while (bytes.byteLength > 0) {
          const { bytesWritten } = await write(this.#fileDescriptor(), bytes, 0, bytes.byteLength, position);
          bytes = bytes.subarray(bytesWritten);
          position += bytesWritten;
        }
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#writing = undefined;
  }

  #writeNow(): void {
    let { bytes, position } = this.#take();
    try {
      while (bytes.byteLength > 0) {
        const bytesWritten = writeSync(this.#fileDescriptor(), bytes, 0, bytes.byteLength, position);
        bytes = bytes.subarray(bytesWritten);
        position += bytesWritten;
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The bytes to write next, and where: each has its place, in whatever order they arrive at the disk. */
  #take(): { bytes: Buffer; position: number } {
    const bytes = Buffer.from(this.#pending.join(''));
    const position = this.#position;
    this.#position += bytes.byteLength;
    this.#pending = [];
    this.#pendingBytes = 0;
    return { bytes, position };
  }

  #fail(error: unknown): void {
    this.#error ??= error;
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  #fileDescriptor(): number {
    if (this.#descriptor === undefined) throw new Error(`${this.path} is not open`);
    return this.#descriptor;
  }
}

const write = promisify(writeWithCallback);
const MAX_PENDING_BYTES = 256 * 1024;
