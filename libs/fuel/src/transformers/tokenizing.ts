import { ndarray, StateKind, type NdArray } from '@longrun/serialization';
import { isRagged, shownColumn, textOf, type Column } from '../arrays/column.js';
import { rowsOf, stackRows, takeRow } from '../arrays/rows.js';
import type { DataStream } from '../streams/data-stream.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { SourcewiseTransformer, type TransformerOptions } from './transformer.js';

/** What is made tokens of, and how. */
export interface TokenizingOptions {
  readonly tokenizer: Tokenizer;
  /** Sources of text. Default all. */
  readonly whichSources?: readonly string[];
}

/**
 * Numbers of the tokens of text: of the bytes of its UTF-8, uint8 `(bytes)`, int64 `(time)` as `TextFile` gives; ragged in batches.
 *
 * State: that of the stream below, and what tells tokenizers apart.
 */
export class Tokenizing extends SourcewiseTransformer {
  readonly #tokenizer: Tokenizer;

  constructor(stream: DataStream, { tokenizer, whichSources }: TokenizingOptions) {
    super(stream, whichSources, TOKENIZING);
    this.#tokenizer = tokenizer;
  }

  protected override options(): TransformerOptions {
    return { ...this.#tokenizer.identity(), ...super.options() };
  }

  /** @throws TypeError for what is not text */
  protected transformSource(column: Column, source: string): Column {
    if (this.producesExamples && !isRagged(column)) return this.#tokens(column, source);
    const rows = Array.from({ length: rowsOf(column, source) }, (_, row) => this.#tokens(takeRow(column, row), source));
    return rows.length === 0 ? ndarray('int64', [0, 0]) : stackRows(rows, source);
  }

  #tokens(example: NdArray, source: string): NdArray {
    let text: string;
    try {
      text = textOf(example);
    } catch (error) {
      throw new TypeError(
        `Tokenizing: an example of ${source} is ${shownColumn(example)}, and no text in UTF-8, uint8 (bytes); name the sources of text in whichSources`,
        { cause: error },
      );
    }
    const numbers = this.#tokenizer.encode(text);
    return ndarray('int64', [numbers.length], BigInt64Array.from(numbers, BigInt));
  }
}

const TOKENIZING = new StateKind('Tokenizing');
