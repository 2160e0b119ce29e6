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
import type { Dictionary } from '../text/dictionary.js';
import { DictionaryTokenizer, type DictionaryTokenizerOptions } from '../text/dictionary-tokenizer.js';
import { IterableDataset } from './iterable-dataset.js';

/** How the lines of files become tokens. */
export interface TextFileOptions extends DictionaryTokenizerOptions {
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
  constructor(files: readonly string[], dictionary: Dictionary, options: TextFileOptions = {}) {
    const { encoding = 'utf-8', preprocess = (line) => line, ...tokens } = options;
    const tokenizer = new DictionaryTokenizer(dictionary, tokens);
    const example = (line: string): NdArray => {
      const numbers = tokenizer.encode(preprocess(line.replace(/\r\n$/, '\n')));
      return ndarray('int64', [numbers.length], BigInt64Array.from(numbers, BigInt));
    };
    const sizes = files.map(sizeOfFile);
    super({ features: map(example, chain.fromIterable(map((file: string) => linesOf(file, encoding), files))) });
    this.#tokens = { sizes, ...tokenizer.identity() };
  }

  override identity(): { readonly [key: string]: Json } {
    return { ...super.identity(), ...this.#tokens };
  }
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
