import { cast, StateKind, type DType } from '@longrun/serialization';
import { withElements, type Column } from '../arrays/column.js';
import type { Memory } from '../arrays/memory.js';
import type { DataStream } from '../streams/data-stream.js';
import type { Place } from '../streams/delivery.js';
import { SourcewiseTransformer, type TransformerOptions } from './transformer.js';

/** What is cast to what. */
export interface CastOptions {
  /** Element type of the result. */
  readonly dtype: DType;
  /** Sources that are cast. Default all. */
  readonly whichSources?: readonly string[];
}

/**
 * Changes the element type (Fuel: `Cast`), as C and NumPy do: fractions are cut off, whole numbers that do not fit wrap around,
 * and to `bool` everything but zero is true. A source of the right type goes through as it is.
 */
export class Cast extends SourcewiseTransformer {
  readonly #dtype: DType;

  constructor(stream: DataStream, options: CastOptions) {
    super(stream, options.whichSources, CAST);
    this.#dtype = options.dtype;
  }

  protected override options(): TransformerOptions {
    return { dtype: this.#dtype, ...super.options() };
  }

  protected transformSource(column: Column, source: string, _place: Place, into: Memory): Column {
    return withElements(column, (elements) => cast(elements, this.#dtype, `Cast: ${source}`, into));
  }
}

const CAST = new StateKind('Cast');
