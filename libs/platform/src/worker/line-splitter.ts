import { StringDecoder } from 'node:string_decoder';
import { Writable } from 'node:stream';

const longestLine = 8192;

/** Cuts a byte stream into lines (`\n`, `\r\n`, and `\r` as progress bars use it); a last line without its end is delivered too. */
export class LineSplitter extends Writable {
  readonly #onLine: (text: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(onLine: (text: string) => void) {
    super({ decodeStrings: true });
    this.#onLine = onLine;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split(/\r?\n|\r(?=[^\n])/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#deliver(line);
    while (this.#rest.length > longestLine) {
      this.#onLine(this.#rest.slice(0, longestLine));
      this.#rest = this.#rest.slice(longestLine);
    }
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    const rest = this.#rest + this.#decoder.end();
    if (rest !== '') this.#deliver(rest.replace(/\r$/, ''));
    done();
  }

  #deliver(line: string): void {
    for (let at = 0; at < line.length || at === 0; at += longestLine) this.#onLine(line.slice(at, at + longestLine));
  }
}
