import { isUtf8 } from 'node:buffer';
import { Writable } from 'node:stream';
import { NO_SECRETS, type SecretMasks } from './secret-masks.js';

/**
 * Cuts a byte stream into lines (`\n`, `\r\n`, and `\r` as progress bars use it); a last line without its end is delivered too. Nothing
 * is lost: bytes that are no UTF-8, and zeros, which no database stores, stand in the text as `\xE9`. Secrets are masked before anything is cut.
 */
export class LineSplitter extends Writable {
  readonly #onLine: (text: string) => void;
  readonly #masks: () => SecretMasks;
  /** What may be the beginning of a secret. */
  #held: Buffer = Buffer.alloc(0);
  #rest: Buffer = Buffer.alloc(0);

  /** @param masks asked before each piece, as secrets may come to be known late. Default: there are none */
  constructor(onLine: (text: string) => void, masks: () => SecretMasks = () => NO_SECRETS) {
    super({ decodeStrings: true });
    this.#onLine = onLine;
    this.#masks = masks;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#split(this.#masked(chunk, false));
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#split(this.#masked(Buffer.alloc(0), true));
    if (this.#rest.length > 0) this.#deliver(withoutReturn(this.#rest));
    done();
  }

  #masked(chunk: Buffer, isLast: boolean): Buffer {
    const { passed, held } = this.#masks().inBytes(Buffer.concat([this.#held, chunk]), { isLast });
    // What waits is copied, not the whole chunk kept.
    this.#held = Buffer.from(held);
    return passed;
  }

  #split(more: Buffer): void {
    const bytes = Buffer.concat([this.#rest, more]);
    let from = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at];
      // Whether a carriage return at the end is half a line's end is seen when more comes.
      const isReturn = byte === CARRIAGE_RETURN && at + 1 < bytes.length && bytes[at + 1] !== LINE_FEED;
      if (byte !== LINE_FEED && !isReturn) continue;
      this.#deliver(withoutReturn(bytes.subarray(from, at)));
      from = at + 1;
    }
    this.#rest = Buffer.from(this.#deliverPieces(bytes.subarray(from)));
  }

  #deliver(line: Buffer): void {
    this.#onLine(textOf(this.#deliverPieces(line)));
  }

  /** Delivers what is too long for a line in pieces of whole characters, but the last one, which it returns. */
  #deliverPieces(line: Buffer): Buffer {
    let rest = line;
    while (rest.length > LONGEST_LINE_BYTES) {
      const length = wholeCharacters(rest, LONGEST_LINE_BYTES);
      this.#onLine(textOf(rest.subarray(0, length)));
      rest = rest.subarray(length);
    }
    return rest;
  }
}

/** Of one line as it is delivered, as the child wrote it. */
const LONGEST_LINE_BYTES = 8192;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}

/** The most bytes up to a limit that cut no character in two. */
function wholeCharacters(bytes: Buffer, limit: number): number {
  const isInside = (at: number) => ((bytes[at] ?? 0) & 0xc0) === 0x80;
  const start = [0, 1, 2, 3].find((back) => !isInside(limit - back));
  return limit - (start ?? 0);
}

function textOf(line: Buffer): string {
  if (isUtf8(line) && !line.includes(0)) return line.toString('utf8');
  let text = '';
  let at = 0;
  while (at < line.length) {
    const length = characterBytes(line[at] ?? 0);
    const isCharacter = length > 0 && isUtf8(line.subarray(at, at + length));
    text += isCharacter
      ? line.toString('utf8', at, at + length)
      : `\\x${line.toString('hex', at, at + 1).toUpperCase()}`;
    at += isCharacter ? length : 1;
  }
  return text;
}

/** Of the character that a byte begins in UTF-8; 0 for a byte that begins none which can be stored. */
function characterBytes(lead: number): number {
  if (lead < 0x80) return lead === 0 ? 0 : 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf5 ? 4 : 0;
}
