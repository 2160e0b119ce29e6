import type { Json } from '@longrun/serialization';
import type { Batch, DataStream, StreamTransformation } from '../streams/data-stream.js';
import type { Request } from '../schemes/iteration-scheme.js';

/** What every dataset is constructed with. */
export interface DatasetOptions {
  /** Names of all sources that the dataset has. */
  readonly providesSources: readonly string[];
  /** Those wanted, in the order wanted. Default: all. */
  readonly sources?: readonly string[] | undefined;
  /** What the axes of each source mean. Default null: unknown. */
  readonly axisLabels?: ReadonlyMap<string, readonly string[]> | null | undefined;
  /** Transformers that `DatasetStream.defaultStream` puts around a stream of this dataset, innermost first. Default none. */
  readonly defaultTransformers?: readonly StreamTransformation[] | undefined;
}

/**
 * Examples that can be asked for by index (Fuel: `Dataset`). A dataset has no state: where a stream is in it, the stream
 * knows.
 */
export abstract class Dataset {
  readonly providesSources: readonly string[];
  readonly sources: readonly string[];
  readonly axisLabels: ReadonlyMap<string, readonly string[]> | null;
  readonly defaultTransformers: readonly StreamTransformation[];

  /** Examples that can be asked for: indices from 0 up to, not including, this. */
  abstract readonly examplesCount: number;

  constructor(options: DatasetOptions) {
    const { providesSources } = options;
    const sources = options.sources ?? providesSources;
    if (sources.length === 0) {
      throw new RangeError(
        `${this.constructor.name}: there are no sources; ask for some of ${providesSources.join(', ')}`,
      );
    }
    for (const source of sources) {
      if (!providesSources.includes(source)) {
        throw new RangeError(
          `${this.constructor.name}: there is no source ${source}; the sources available are ${providesSources.join(', ')}`,
        );
      }
    }
    this.providesSources = [...providesSources];
    this.sources = [...sources];
    this.axisLabels = options.axisLabels ?? null;
    this.defaultTransformers = options.defaultTransformers ?? [];
  }

  /**
   * The arrays of `sources`, `(batch, ...)`; without the first axis for a single example.
   *
   * @throws RangeError when an index is outside of the dataset
   */
  abstract getData(request: Request): Promise<Batch>;

  /**
   * What tells this dataset from others. Saved with a stream, which refuses to go on over another one. Here: the number of
   * examples and the names of the sources.
   */
  identity(): { readonly [key: string]: Json } {
    return { examples: this.examplesCount, sources: this.sources };
  }

  /** The stream with `defaultTransformers` around it. */
  applyDefaultTransformers(stream: DataStream): DataStream {
    return this.defaultTransformers.reduce((inner, transformation) => transformation(inner), stream);
  }

  /** Lets go of files. */
  async close(): Promise<void> {}
}
