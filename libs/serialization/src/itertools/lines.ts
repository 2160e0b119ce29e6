import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

import { countIn, StateMismatch, type StatefulIterator, type VersionedState } from '../state.js';
import { given, Itertool } from './itertool.js';

/**
 * The lines of a UTF-8 file, each with the `\n` at its end; the last may have none (picklable-itertools: `file_iterator`; CPython:
 * `open(path, newline='\n')`).
 *
 * State: the number of bytes in the lines given, and whether this was the end; what is added to the file afterwards is not given. The
 * file is not open between two reads, and its path is no part of the state. A state beyond its end, or not at the beginning of a
 * line, is refused.
 *
 * @throws TypeError for a line that is not UTF-8, naming its first byte
 */
export function lines(path: string): StatefulIterator<string> {
  return new Lines(path);
}

const PIECE_BYTES = 65_536;
const NEWLINE = 0x0a;

class Lines extends Itertool<string> {
  readonly #path: string;
  /** Of the first byte that was not given. */
  #offset = 0;
  /** What was read from there on. */
  #ahead: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    super('lines');
    this.#path = path;
  }

  protected advance(): IteratorResult<string, undefined> {
    let end = this.#ahead.indexOf(NEWLINE);
    while (end === -1) {
      const searched = this.#ahead.length;
      const piece = this.#read(this.#offset + searched, Math.max(PIECE_BYTES, searched));
      if (piece.length === 0) break;
      this.#ahead = Buffer.concat([this.#ahead, piece]);
      end = this.#ahead.indexOf(NEWLINE, searched);
    }
    const line = this.#ahead.subarray(0, end === -1 ? this.#ahead.length : end + 1);
    if (line.length === 0) return this.end();
    const text = this.#decode(line);
    this.#offset += line.length;
    this.#ahead = this.#ahead.subarray(line.length);
    return given(text);
  }

  protected fields() {
    return { offset: this.#offset };
  }

  protected load(state: VersionedState): void {
    const offset = countIn(this.kind, state, 'offset');
    if (offset > 0 && offset !== this.#offset) this.#checkOffset(offset);
    this.#offset = offset;
    this.#ahead = Buffer.alloc(0);
  }

  #checkOffset(offset: number): void {
    const [before, after] = [this.#read(offset - 1, 1), this.#read(offset, 1)];
    if (before.length === 1 && (before[0] === NEWLINE || after.length === 0)) return;
    throw new StateMismatch(
      `lines: the saved state is at byte ${offset}, where no line of ${this.#path} begins; give the file that was read when it was saved`,
    );
  }

  #read(offset: number, bytes: number): Buffer {
    const file = openSync(this.#path, 'r');
    try {
      const piece = Buffer.alloc(Math.min(bytes, Math.max(0, fstatSync(file).size - offset)));
      return piece.subarray(0, readSync(file, piece, 0, piece.length, offset));
    } finally {
      closeSync(file);
    }
  }

  #decode(line: Buffer): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line);
    } catch {
      throw new TypeError(
        `lines: the line at byte ${this.#offset} of ${this.#path} is not UTF-8; write the file in this encoding`,
      );
    }
  }
}
