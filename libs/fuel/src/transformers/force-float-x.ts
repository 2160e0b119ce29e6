import { cast, StateKind } from '@longrun/serialization';
import { dtypeOf, withElements, type Column } from '../arrays/column.js';
import type { Memory } from '../arrays/memory.js';
import type { DataStream } from '../streams/data-stream.js';
import type { Place } from '../streams/delivery.js';
import { SourcewiseTransformer, type TransformerOptions } from './transformer.js';

/** What is made what. */
export interface ForceFloatXOptions {
  /** Fuel's `config.floatX`. Default `float32`. */
  readonly floatX?: 'float32' | 'float64';
  /** Sources that are looked at. Default all. */
  readonly whichSources?: readonly string[];
}

/** Makes all floating-point columns those of one type; others go through as they are (Fuel: `ForceFloatX`). */
export class ForceFloatX extends SourcewiseTransformer {
  readonly #floatX: 'float32' | 'float64';

  constructor(stream: DataStream, options: ForceFloatXOptions = {}) {
    super(stream, options.whichSources, FORCE_FLOAT_X);
    this.#floatX = options.floatX ?? 'float32';
  }

  protected override options(): TransformerOptions {
    return { floatX: this.#floatX, ...super.options() };
  }

  protected transformSource(column: Column, source: string, _place: Place, into: Memory): Column {
    const dtype = dtypeOf(column);
    if (dtype !== 'float32' && dtype !== 'float64') return column;
    return withElements(column, (elements) => cast(elements, this.#floatX, `ForceFloatX: ${source}`, into));
  }
}

const FORCE_FLOAT_X = new StateKind('ForceFloatX');
