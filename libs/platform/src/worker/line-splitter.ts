import { StringDecoder } from 'node:string_decoder';
import { Writable } from 'node:stream';
import { storableText } from '@longrun/contracts';

/**
 * Cuts a byte stream into lines (`\n`, `\r\n`, and `\r` as progress bars use it) that a database can store; a last line without its end is
 * delivered too.
 */
export class LineSplitter extends Writable {
  readonly #onLine: (text: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(onLine: (text: string) => void) {
    super({ decodeStrings: true });
    this.#onLine = onLine;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const lines = storableText(this.#rest + this.#decoder.write(chunk)).split(/\r?\n|\r(?=[^\n])/);
    const rest = lines.pop() ?? '';
    for (const line of lines) this.#onLine(this.#deliverPieces(line));
    this.#rest = this.#deliverPieces(rest);
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    const rest = this.#rest + this.#decoder.end();
    if (rest !== '') this.#onLine(this.#deliverPieces(storableText(rest.replace(/\r$/, ''))));
    done();
  }

  /** Delivers what is too long for a line in pieces, but the last one, which it returns. */
  #deliverPieces(text: string): string {
    let rest = text;
    // One UTF-16 unit is three bytes at most.
    while (rest.length * 3 > LONGEST_LINE_BYTES) {
      const { read } = encoder.encodeInto(rest, piece);
      if (read === rest.length) break;
      this.#onLine(rest.slice(0, read));
      rest = rest.slice(read);
    }
    return rest;
  }
}

/** Of one line as it is delivered, in UTF-8. */
const LONGEST_LINE_BYTES = 8192;
const encoder = new TextEncoder();
/** As much as fits into it, whole characters only, is one piece. */
const piece = new Uint8Array(LONGEST_LINE_BYTES);
