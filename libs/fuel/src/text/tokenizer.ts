import type { Json } from '@longrun/serialization';

/** Makes numbers of text. It has no state: the same text gives the same numbers. */
export interface Tokenizer {
  /** The number of each token of a text, in their order. */
  encode(text: string): readonly number[];
  /** What makes two of them give the same; part of the state of streams. */
  identity(): { readonly [key: string]: Json };
}
