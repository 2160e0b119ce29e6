import {
  appendFileSync,
  closeSync,
  createReadStream,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

import { writeDurably, type WrittenFile } from '@longrun/serialization';

/**
 * A file that a program writes and that is part of the state of training: it is saved with each snapshot as it is at that step, and
 * put back as it was then. Get one from `context.output(name)`.
 *
 * What is written has happened when the call returns, all of it or, when it throws, nothing.
 */
export class Output {
  readonly name: string;
  readonly #path: string;
  readonly #prepare: (sizeBytes: number) => void;
  /** Undefined as long as there is no such file. */
  #sizeBytes: number | undefined;

  /** @param prepare called before the file gets a new size; what it throws, the write throws */
  constructor(name: string, folder: string, prepare: (sizeBytes: number) => void) {
    this.name = name;
    this.#path = path.join(folder, name);
    this.#prepare = prepare;
  }

  /** False until something was written. */
  get exists(): boolean {
    return this.#sizeBytes !== undefined;
  }

  get sizeBytes(): number {
    return this.#sizeBytes ?? 0;
  }

  /** Adds text, in UTF-8, or bytes to the end. */
  append(content: string | Uint8Array): void {
    const bytes = bytesOf(content);
    const before = this.sizeBytes;
    this.#prepare(before + bytes.byteLength);
    try {
      appendFileSync(this.#path, bytes);
    } catch (error) {
      if (this.exists) truncateSync(this.#path, before);
      else rmSync(this.#path, { force: true });
      throw error;
    }
    this.#sizeBytes = before + bytes.byteLength;
  }

  /** Replaces all that was there by text, in UTF-8, or bytes. */
  write(content: string | Uint8Array): void {
    const bytes = bytesOf(content);
    this.#prepare(bytes.byteLength);
    const temporary = this.#temporary();
    try {
      writeFileSync(temporary, bytes);
      // A file of its own, so that a snapshot that is being written of the old one still has it.
      renameSync(temporary, this.#path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    this.#sizeBytes = bytes.byteLength;
  }

  /** All that was written; nothing where there is no file. */
  read(): Uint8Array {
    return this.exists ? readFileSync(this.#path) : new Uint8Array();
  }

  /** {@link read} as text, in UTF-8. */
  readText(): string {
    return Buffer.from(this.read()).toString();
  }

  /** What the file is now, whatever is written later; undefined where there is none. For snapshots; to be closed. */
  capture(): CapturedOutput | undefined {
    return this.#sizeBytes === undefined
      ? undefined
      : new CapturedOutput(this.name, openSync(this.#path, 'r'), this.#sizeBytes);
  }

  /** Takes a complete file of that size, which `place` puts where it is told, as the new content. For snapshots. */
  async replace(sizeBytes: number, place: (target: string) => Promise<void>): Promise<void> {
    this.#prepare(sizeBytes);
    const temporary = this.#temporary();
    await place(temporary);
    renameSync(temporary, this.#path);
    this.#sizeBytes = sizeBytes;
  }

  /** Removes the file, if there is one. */
  remove(): void {
    rmSync(this.#path, { force: true });
    this.#sizeBytes = undefined;
  }

  #temporary(): string {
    return path.join(path.dirname(this.#path), `.${this.name}.new`);
  }
}

/**
 * An output as it was at a step. Costs nothing to take: writing either adds to the end of a file or makes a new one, so the bytes
 * that an open file has up to a size never change.
 */
export class CapturedOutput {
  readonly name: string;
  readonly sizeBytes: number;
  readonly #file: number;

  constructor(name: string, file: number, sizeBytes: number) {
    this.name = name;
    this.#file = file;
    this.sizeBytes = sizeBytes;
  }

  /** Writes a durable copy. */
  async copyTo(target: string): Promise<WrittenFile> {
    const written = await writeDurably(target, this.#pieces());
    if (written.sizeBytes === this.sizeBytes) return written;
    throw new Error(
      `Output ${this.name} had ${this.sizeBytes} bytes but ${written.sizeBytes} could be read; ` +
        'something besides its handle has changed the file, leave it alone while training runs',
    );
  }

  close(): void {
    closeSync(this.#file);
  }

  async *#pieces(): AsyncGenerator<Uint8Array> {
    if (this.sizeBytes === 0) return;
    const range = { fd: this.#file, start: 0, end: this.sizeBytes - 1, autoClose: false, highWaterMark: PIECE_BYTES };
    for await (const piece of createReadStream('', range)) if (piece instanceof Uint8Array) yield piece;
  }
}

const PIECE_BYTES = 1 << 20;

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : content;
}
