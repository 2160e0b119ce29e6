import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import {
  chain,
  iterate,
  lines,
  map,
  ndarray,
  type Json,
  type NdArray,
  type StatefulIterator,
} from '@longrun/serialization';
import { CorruptInput, MissingInput } from '../errors.js';
import { IterableDataset } from './iterable-dataset.js';

/** Numbers of the tokens, and how text becomes tokens. */
export interface TextFileOptions {
  /** Begins each example; null: nothing does. Default `<S>`. */
  readonly bosToken?: string | null;
  /** Ends each example; null: nothing does. Default `</S>`. */
  readonly eosToken?: string | null;
  /** In the place of what is not in the dictionary. Default `<UNK>`. */
  readonly unkToken?: string;
  /** Tokens are what is between white space, or each character of a line without the white space around it. Default `word`. */
  readonly level?: 'word' | 'character';
  /** Changes each line, with its newline, before it becomes tokens. It depends on the line only. Default: nothing. */
  readonly preprocess?: (line: string) => string;
  /** Encoding of the files, one in which a newline is the byte 10. Default `utf-8`. */
  readonly encoding?: string;
}

/**
 * Lines of text files as the numbers of their tokens (Fuel: `TextFile`): source `features`, int64 `(time)`, one example a line. Files are read
 * one after the other; those that are gzipped, or in another encoding than UTF-8, are in memory while they are read.
 *
 * A state is refused by a dataset with files of other sizes, other tokens or another dictionary.
 */
export class TextFile extends IterableDataset {
  readonly #tokens: { readonly [key: string]: Json };

  /**
   * @param files paths, in the order in which they are read
   * @param dictionary the number of each token
   * @throws RangeError for a token of the options that is not in the dictionary, MissingInput for files that are not there
   */
  constructor(
    files: readonly string[],
    dictionary: ReadonlyMap<string, number> | Readonly<Record<string, number>>,
    options: TextFileOptions = {},
  ) {
    const { level = 'word', encoding = 'utf-8', preprocess = (line) => line } = options;
    const { bosToken = '<S>', eosToken = '</S>', unkToken = '<UNK>' } = options;
    const numbers = new Map<string, number>(isMap(dictionary) ? dictionary : Object.entries(dictionary));
    const numberOf = (token: string): bigint => {
      const number = numbers.get(token);
      if (number !== undefined) return BigInt(number);
      throw new RangeError(`TextFile: the dictionary has no ${token}; add it, or name the token that it has instead`);
    };
    const first = bosToken === null ? [] : [numberOf(bosToken)];
    const last = eosToken === null ? [] : [numberOf(eosToken)];
    const unknown = numberOf(unkToken);
    const example = (line: string): NdArray => {
      const text = preprocess(line.replace(/\r\n$/, '\n'));
      const found = tokensOf(text, level).map((token) => {
        const number = numbers.get(token);
        return number === undefined ? unknown : BigInt(number);
      });
      const all = BigInt64Array.from([...first, ...found, ...last]);
      return ndarray('int64', [all.length], all);
    };
    const sizes = files.map(sizeOfFile);
    super({ features: map(example, chain.fromIterable(map((file: string) => linesOf(file, encoding), files))) });
    this.#tokens = { sizes, level, bosToken, eosToken, unkToken, dictionary: digestOf(numbers) };
  }

  override identity(): { readonly [key: string]: Json } {
    return { ...super.identity(), ...this.#tokens };
  }
}

// What Python calls white space.
const SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const SPACES = new RegExp(`[${SPACE}]+`, 'u');
const SPACE_AROUND = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, 'gu');

function tokensOf(line: string, level: 'word' | 'character'): readonly string[] {
  const text = line.replaceAll(SPACE_AROUND, '');
  if (level === 'character') return Array.from(text);
  return text === '' ? [] : text.split(SPACES);
}

function linesOf(file: string, encoding: string): StatefulIterator<string> {
  const gzipped = isGzipped(file);
  if (!gzipped && encoding === 'utf-8') return lines(file);
  const bytes = readFileSync(file);
  const text = decoded(file, gzipped ? unzipped(file, bytes) : bytes, encoding);
  return iterate(text.match(/[^\n]*\n|[^\n]+$/g) ?? []);
}

function isGzipped(file: string): boolean {
  const descriptor = openSync(file, 'r');
  try {
    const magic = Buffer.alloc(2);
    return readSync(descriptor, magic, 0, 2, 0) === 2 && magic.readUInt16BE() === 0x1f8b;
  } finally {
    closeSync(descriptor);
  }
}

function unzipped(file: string, bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new CorruptInput(file, 'begins as a gzip file and cannot be unzipped; get it anew', { cause: error });
  }
}

function decoded(file: string, bytes: Uint8Array, encoding: string): string {
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw new CorruptInput(file, `is not ${encoding}; give its encoding`, { cause: error });
  }
}

function sizeOfFile(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found !== undefined) return found.size;
  throw new MissingInput(`${file} does not exist; get it, or give the path where it is`, [file]);
}

function digestOf(numbers: ReadonlyMap<string, number>): string {
  const hash = createHash('sha256');
  for (const [token, number] of numbers) hash.update(JSON.stringify([token, number]));
  return `${numbers.size} tokens, sha256 ${hash.digest('hex').slice(0, 16)}`;
}

function isMap(
  value: ReadonlyMap<string, number> | Readonly<Record<string, number>>,
): value is ReadonlyMap<string, number> {
  return value instanceof Map;
}
