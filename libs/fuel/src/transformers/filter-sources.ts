import { StateKind } from '@longrun/serialization';
import type { Columns } from '../arrays/column.js';
import type { DataStream } from '../streams/data-stream.js';
import { checkSources, Transformer, type TransformerOptions } from './transformer.js';

/** Keeps some sources, in the order of the stream (Fuel: `FilterSources`). */
export class FilterSources extends Transformer {
  readonly #kept: readonly string[];

  /** @param sources the sources to keep; at least one, all of them sources of the stream */
  constructor(stream: DataStream, sources: readonly string[]) {
    super(stream, FILTER_SOURCES);
    checkSources('FilterSources', sources, stream.sources);
    if (sources.length === 0) throw new RangeError('FilterSources: there are no sources to keep; give at least one');
    this.#kept = stream.sources.filter((source) => sources.includes(source));
  }

  override get sources(): readonly string[] {
    return this.#kept;
  }

  override get axisLabels(): ReadonlyMap<string, readonly string[]> | null {
    const below = this.stream.axisLabels;
    return below && new Map([...below].filter(([source]) => this.#kept.includes(source)));
  }

  protected override options(): TransformerOptions {
    return { sources: this.#kept };
  }

  protected override transform(columns: Columns): Columns {
    return new Map([...columns].filter(([source]) => this.#kept.includes(source)));
  }
}

const FILTER_SOURCES = new StateKind('FilterSources');
