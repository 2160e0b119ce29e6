import type { Json } from '@longrun/serialization';
import { dictionaryDigest, numberIn, numbersOf, type Dictionary } from './dictionary.js';
import type { Tokenizer } from './tokenizer.js';

/** How text becomes tokens of a dictionary. */
export interface DictionaryTokenizerOptions {
  /** Begins each text; null: nothing does. Default `<S>`. */
  readonly bosToken?: string | null;
  /** Ends each text; null: nothing does. Default `</S>`. */
  readonly eosToken?: string | null;
  /** In the place of what is not in the dictionary. Default `<UNK>`. */
  readonly unkToken?: string;
  /** Tokens are what is between white space, or each character of a text without the white space around it. Default `word`. */
  readonly level?: 'word' | 'character';
}

/** Words or characters as the numbers that a dictionary has for them (Fuel: `TextFile`). */
export class DictionaryTokenizer implements Tokenizer {
  readonly level: 'word' | 'character';
  readonly bosToken: string | null;
  readonly eosToken: string | null;
  readonly unkToken: string;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #first: readonly number[];
  readonly #last: readonly number[];
  readonly #unknown: number;

  /**
   * @param dictionary the number of each token
   * @throws RangeError for a token of the options that is not in the dictionary
   */
  constructor(dictionary: Dictionary, options: DictionaryTokenizerOptions = {}) {
    const { level = 'word', bosToken = '<S>', eosToken = '</S>', unkToken = '<UNK>' } = options;
    this.level = level;
    this.bosToken = bosToken;
    this.eosToken = eosToken;
    this.unkToken = unkToken;
    this.#numbers = numbersOf(dictionary);
    this.#first = bosToken === null ? [] : [numberIn(this.#numbers, bosToken)];
    this.#last = eosToken === null ? [] : [numberIn(this.#numbers, eosToken)];
    this.#unknown = numberIn(this.#numbers, unkToken);
  }

  encode(text: string): readonly number[] {
    const found = tokensOf(text, this.level).map((token) => this.#numbers.get(token) ?? this.#unknown);
    return [...this.#first, ...found, ...this.#last];
  }

  identity(): { readonly [key: string]: Json } {
    const { level, bosToken, eosToken, unkToken } = this;
    return { level, bosToken, eosToken, unkToken, dictionary: dictionaryDigest(this.#numbers) };
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
