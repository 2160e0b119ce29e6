import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { Json } from '@longrun/serialization';
import { z } from 'zod';
import { CorruptInput, MissingInput } from '../errors.js';
import { dictionaryDigest, numberIn, numbersOf, type Dictionary } from './dictionary.js';
import type { Tokenizer } from './tokenizer.js';

/** What a byte-pair encoding is made of. */
export interface BytePairTokenizerOptions {
  /** The number of each token, which is written as GPT-2 does: a character for each of its bytes. */
  readonly dictionary: Dictionary;
  /** Which two tokens become one, the first of these first. */
  readonly merges: readonly (readonly [left: string, right: string])[];
  /** Begins each text; null: nothing does. Default null. */
  readonly bosToken?: string | null;
  /** Ends each text; null: nothing does. Default null. */
  readonly eosToken?: string | null;
}

/**
 * Pieces of words as numbers, by a byte-pair encoding over bytes (Sennrich, Haddow, Birch, 2016; of GPT-2's form): any text has some, and
 * what is in none of the merges is its bytes.
 */
export class BytePairTokenizer implements Tokenizer {
  readonly bosToken: string | null;
  readonly eosToken: string | null;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #ranks = new Map<string, number>();
  readonly #first: readonly number[];
  readonly #last: readonly number[];
  readonly #digest: string;
  // The numbers of words that came before; most come again.
  readonly #known = new Map<string, readonly number[]>();

  /** @throws RangeError for a token of the options that is not in the dictionary, and for a dictionary that lacks a byte */
  constructor({ dictionary, merges, bosToken = null, eosToken = null }: BytePairTokenizerOptions) {
    this.bosToken = bosToken;
    this.eosToken = eosToken;
    this.#numbers = numbersOf(dictionary);
    for (const character of CHARACTERS) numberIn(this.#numbers, character);
    for (const [rank, [left, right]] of merges.entries()) {
      numberIn(this.#numbers, left + right);
      this.#ranks.set(`${left} ${right}`, rank);
    }
    this.#first = bosToken === null ? [] : [numberIn(this.#numbers, bosToken)];
    this.#last = eosToken === null ? [] : [numberIn(this.#numbers, eosToken)];
    const hash = createHash('sha256').update(JSON.stringify(merges)).digest('hex').slice(0, 16);
    this.#digest = `${merges.length} pairs, sha256 ${hash}`;
  }

  /**
   * By the two files that such an encoding is published as: `vocab.json` and `merges.txt`.
   *
   * @throws MissingInput for files that are not there, CorruptInput for those that are something else
   */
  static read(
    vocabularyPath: string,
    mergesPath: string,
    options: Pick<BytePairTokenizerOptions, 'bosToken' | 'eosToken'> = {},
  ): BytePairTokenizer {
    return new BytePairTokenizer({
      dictionary: vocabularyOf(vocabularyPath),
      merges: mergesOf(mergesPath),
      ...options,
    });
  }

  encode(text: string): readonly number[] {
    const found = (text.match(WORDS) ?? []).flatMap((word) => this.#numbersOf(word));
    return [...this.#first, ...found, ...this.#last];
  }

  identity(): { readonly [key: string]: Json } {
    const { bosToken, eosToken } = this;
    return {
      level: 'byte pair',
      bosToken,
      eosToken,
      dictionary: dictionaryDigest(this.#numbers),
      merges: this.#digest,
    };
  }

  #numbersOf(word: string): readonly number[] {
    const known = this.#known.get(word);
    if (known !== undefined) return known;
    const numbers = this.#merged(word).map((token) => numberIn(this.#numbers, token));
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(word, numbers);
    return numbers;
  }

  /** The tokens of a word: its bytes, of which the pair with the lowest rank becomes one, until none has a rank. */
  #merged(word: string): readonly string[] {
    const tokens = Array.from(Buffer.from(word), (byte) => CHARACTERS[byte] ?? '');
    for (;;) {
      let [best, at] = [Infinity, -1];
      for (let i = 0; i + 1 < tokens.length; i += 1) {
        const rank = this.#ranks.get(`${tokens[i]} ${tokens[i + 1]}`) ?? Infinity;
        if (rank < best) [best, at] = [rank, i];
      }
      if (at === -1) return tokens;
      tokens.splice(at, 2, `${tokens[at]}${tokens[at + 1]}`);
    }
  }
}

const MOST_KNOWN = 1 << 16;
/** Words with the space before them, endings of English, numbers, and what is left, as GPT-2 takes a text apart. */
const WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** The character that stands for each byte: itself where it is seen, else one from U+0100 on. */
const CHARACTERS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte).reduce<string[]>((known, byte) => {
  const isSeen = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  const unseen = known.filter((character) => (character.codePointAt(0) ?? 0) >= 0x100).length;
  return [...known, String.fromCodePoint(isSeen ? byte : 0x100 + unseen)];
}, []);

const VOCABULARY = z.record(z.string(), z.int().min(0));

function vocabularyOf(path: string): Dictionary {
  let value: unknown;
  try {
    value = JSON.parse(textIn(path));
  } catch (error) {
    if (error instanceof MissingInput) throw error;
    throw new CorruptInput(path, 'is not JSON; give the vocabulary of a byte-pair encoding', { cause: error });
  }
  const read = VOCABULARY.safeParse(value);
  if (read.success) return read.data;
  throw new CorruptInput(
    path,
    'does not have a whole number from 0 for each token; give the vocabulary of a byte-pair encoding',
  );
}

function mergesOf(path: string): [string, string][] {
  // Its first line may say the version.
  const lines = textIn(path)
    .replace(/^#version.*\n/, '')
    .split('\n');
  return lines.flatMap((line, index): [string, string][] => {
    if (line === '') return [];
    const [left, right, ...more] = line.replace(/\r$/, '').split(' ');
    if (left !== undefined && right !== undefined && more.length === 0) return [[left, right]];
    throw new CorruptInput(
      path,
      `merge ${index + 1} is ${JSON.stringify(line.slice(0, 60))}, but two tokens with a space between them are expected; give the merges of a byte-pair encoding`,
    );
  });
}

function textIn(path: string): string {
  if (existsSync(path)) return readFileSync(path, 'utf8');
  throw new MissingInput(`${path} does not exist; get it, or give the path where it is`, [path]);
}
