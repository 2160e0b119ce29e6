import type { NdArray } from '@longrun/serialization';
import type { Batch, DataStream } from '../streams/data-stream.js';
import { Transformer } from './transformer.js';

/** What a mapping adds. */
export interface MappingOptions {
  /**
   * Names of arrays that the function adds to those of the stream (Fuel: `add_sources`). Default: it replaces them and gives
   * an array for each source of the stream.
   */
  readonly addSources?: readonly string[];
}

/**
 * Applies a function to each batch or example (Fuel: `Mapping`).
 *
 * The function must depend on nothing but the arrays it is given: what it keeps between calls would not be saved with the stream,
 * and the stream could not be resumed exactly.
 */
export class Mapping extends Transformer {
  readonly mapping: (arrays: ReadonlyMap<string, NdArray>) => ReadonlyMap<string, NdArray>;
  readonly #addSources: readonly string[];

  /** @param mapping from the arrays of a batch by source name to the new ones; the arrays given must not be written to */
  constructor(
    stream: DataStream,
    mapping: (arrays: ReadonlyMap<string, NdArray>) => ReadonlyMap<string, NdArray>,
    options: MappingOptions = {},
  ) {
    super(stream);
    this.mapping = mapping;
    this.#addSources = options.addSources ?? [];
    const taken = this.#addSources.find((source) => stream.sources.includes(source));
    if (taken !== undefined) {
      throw new RangeError(`Mapping: ${taken} is a source of the stream already; add it under another name`);
    }
  }

  override get sources(): readonly string[] {
    return [...this.stream.sources, ...this.#addSources];
  }

  /** Null: what the function does to the axes is not known. */
  override get axisLabels(): null {
    return null;
  }

  async next(): Promise<Batch | undefined> {
    const batch = await this.stream.next();
    if (batch === undefined) return undefined;
    const mapped = this.mapping(batch.arrays);
    const arrays = new Map<string, NdArray>(this.#addSources.length > 0 ? batch.arrays : []);
    for (const source of this.#addSources.length > 0 ? this.#addSources : this.stream.sources) {
      const array = mapped.get(source);
      if (array === undefined) {
        throw new TypeError(
          `Mapping: the function gave no array for ${source}, but ${[...mapped.keys()].join(', ') || 'nothing'}; ` +
            `it should give ${this.#addSources.length > 0 ? 'the added sources' : 'every source of the stream'}`,
        );
      }
      arrays.set(source, array);
    }
    return { arrays };
  }
}
