import { StringDecoder } from 'node:string_decoder';
import { Writable } from 'node:stream';

const longestLine = 8192;

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
    const lines = (this.#rest + this.#decoder.write(chunk)).replaceAll('\0', '\uFFFD').split(/\r?\n|\r(?=[^\n])/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#deliver(line);
    while (this.#rest.length > longestLine) {
      const end = cut(this.#rest);
      this.#onLine(this.#rest.slice(0, end));
      this.#rest = this.#rest.slice(end);
    }
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    const rest = this.#rest + this.#decoder.end();
    if (rest !== '') this.#deliver(rest.replace(/\r$/, ''));
    done();
  }

  #deliver(line: string): void {
    let rest = line;
    while (rest.length > longestLine) {
      const end = cut(rest);
      this.#onLine(rest.slice(0, end));
      rest = rest.slice(end);
    }
    this.#onLine(rest);
  }
}

/** Where to cut a line that is too long: not within a surrogate pair. */
function cut(line: string): number {
  const last = line.charCodeAt(longestLine - 1);
  return last >= 0xd800 && last < 0xdc00 ? longestLine - 1 : longestLine;
}
