import type { NdArray } from '@longrun/serialization';
import type { Batch, DataStream } from '../streams/data-stream.js';
import { checkSources, Transformer } from './transformer.js';

/** Keeps some sources, in the order of the stream (Fuel: `FilterSources`). */
export class FilterSources extends Transformer {
  readonly #kept: readonly string[];

  /** @param sources the sources to keep; at least one, all of them sources of the stream */
  constructor(stream: DataStream, sources: readonly string[]) {
    super(stream);
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

  async next(): Promise<Batch | undefined> {
    const batch = await this.stream.next();
    if (batch === undefined) return undefined;
    const arrays = new Map<string, NdArray>();
    for (const [source, array] of batch.arrays) if (this.#kept.includes(source)) arrays.set(source, array);
    return { arrays };
  }
}
