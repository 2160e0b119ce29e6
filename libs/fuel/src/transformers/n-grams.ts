import type { NdArray } from '@longrun/serialization';
import type { Memory } from '../arrays/memory.js';
import { takeRow } from '../arrays/rows.js';
import type { DataStream } from '../streams/data-stream.js';
import type { TransformerOptions } from './transformer.js';
import { Window } from './window.js';

/** What n-grams are called. */
export interface NGramsOptions {
  /** Name of the source of the items that follow. Default `targets`. */
  readonly targetSource?: string;
}

/**
 * The n-grams of each sequence, and the item that follows each (Fuel: `NGrams`): of examples `(time, ...)` of one source, examples
 * `(ngramOrder, ...)` and targets `(...)`.
 */
export class NGrams extends Window {
  readonly ngramOrder: number;

  /**
   * @param stream a stream of examples with one source
   * @param ngramOrder items in an n-gram, as 3 for trigrams
   */
  constructor(stream: DataStream, ngramOrder: number, options: NGramsOptions = {}) {
    super(stream, { ...options, offset: 0, sourceWindow: ngramOrder, targetWindow: 1, overlapping: false });
    this.ngramOrder = ngramOrder;
  }

  override get axisLabels(): ReadonlyMap<string, readonly string[]> | null {
    const windows = super.axisLabels;
    const [, targetSource] = this.sources;
    return (
      windows && new Map([...windows].map(([source, axes]) => [source, source === targetSource ? axes.slice(1) : axes]))
    );
  }

  protected override options(): TransformerOptions {
    return { ...super.options(), ngramOrder: this.ngramOrder };
  }

  protected override stage(): string {
    return `NGrams(${this.ngramOrder})`;
  }

  protected override target(window: NdArray, into: Memory): NdArray {
    return takeRow(window, 0, into);
  }
}
