import { CorruptInput } from '../errors.js';
import { gunzipped } from './gunzipped.js';

/** A file in an archive. */
export interface TarFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * Files of a gzipped tar archive, in the order in which they lie there. What else is in the archive is passed over. Held in memory is one
 * file at a time.
 *
 * @param wanted Whether a file of this name is asked for
 * @param mostBytes What one of them may have
 * @throws MissingInput when there is no such archive
 * @throws CorruptInput when it is not a gzipped tar archive, or ends too early, or a file is larger
 */
export async function* tarFiles(
  path: string,
  wanted: (name: string) => boolean,
  mostBytes: number,
): AsyncGenerator<TarFile, void, undefined> {
  const pieces = new Pieces(path, gunzipped(path));
  try {
    for (;;) {
      const header = await pieces.take(BLOCK_BYTES);
      // Two blocks of zeros end an archive; what comes behind them is not read, but belongs to the checksum.
      if (header.every((byte) => byte === 0)) break;
      const { name, sizeBytes, isFile } = headerOf(path, header);
      const padding = (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
      if (!isFile || !wanted(name)) {
        await pieces.skip(sizeBytes + padding);
        continue;
      }
      if (sizeBytes > mostBytes)
        throw new CorruptInput(path, `has ${name} of ${sizeBytes} bytes, but it has at most ${mostBytes}; ${REMEDY}`);
      const bytes = await pieces.take(sizeBytes);
      await pieces.skip(padding);
      yield { name, bytes };
    }
    await pieces.drain();
  } finally {
    await pieces.close();
  }
}

const BLOCK_BYTES = 512;
const REMEDY = 'download it again';
/** Of the fields of a header: where each begins and ends. */
const NAME = [0, 100] as const;
const SIZE = [124, 136] as const;
const CHECKSUM = [148, 156] as const;
const TYPE = 156;
const MAGIC = [257, 262] as const;
const PREFIX = [345, 500] as const;

interface Header {
  readonly name: string;
  readonly sizeBytes: number;
  readonly isFile: boolean;
}

function headerOf(path: string, header: Buffer): Header {
  const textIn = ([start, stop]: readonly [number, number]): string => {
    const text = header.toString('utf8', start, stop);
    const end = text.indexOf('\0');
    return end === -1 ? text : text.slice(0, end);
  };
  const [start, stop] = CHECKSUM;
  const sum = header.reduce((total, byte, at) => total + (at >= start && at < stop ? 0x20 : byte), 0);
  const size = textIn(SIZE).trim();
  if (Number.parseInt(textIn(CHECKSUM), 8) !== sum || !/^[0-7]+$/.test(size))
    throw new CorruptInput(path, `is not a tar archive; ${REMEDY}`);
  const prefix = textIn(MAGIC) === 'ustar' ? textIn(PREFIX) : '';
  const type = header[TYPE];
  return {
    name: prefix === '' ? textIn(NAME) : `${prefix}/${textIn(NAME)}`,
    sizeBytes: Number.parseInt(size, 8),
    isFile: type === 0 || type === '0'.codePointAt(0),
  };
}

/** Bytes that come in pieces, taken as they are needed. */
class Pieces {
  readonly #path: string;
  readonly #source: AsyncGenerator<Buffer, void, undefined>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string, source: AsyncGenerator<Buffer, void, undefined>) {
    this.#path = path;
    this.#source = source;
  }

  async take(count: number): Promise<Buffer> {
    const taken = Buffer.alloc(count);
    for (let at = 0; at < count;) {
      const part = await this.#next(count - at);
      part.copy(taken, at);
      at += part.length;
    }
    return taken;
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0;) left -= (await this.#next(left)).length;
  }

  /** Reads to the end, so that what was read is known to be whole. */
  async drain(): Promise<void> {
    while ((await this.#source.next()).done !== true);
  }

  async close(): Promise<void> {
    await this.#source.return();
  }

  /** At least one byte, and at most so many. */
  async #next(most: number): Promise<Buffer> {
    while (this.#rest.length === 0) {
      const piece = await this.#source.next();
      if (piece.done === true) throw new CorruptInput(this.#path, `ends within a file; ${REMEDY}`);
      this.#rest = piece.value;
    }
    const part = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }
}
