import type { Json } from '@longrun/serialization';
import type { Memory } from '../arrays/memory.js';
import type { IterationScheme, Request } from '../schemes/iteration-scheme.js';
import { SequentialExampleScheme } from '../schemes/sequential-example-scheme.js';
import type { DataStream, StreamTransformation } from '../streams/data-stream.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import type { Batch } from '../streams/delivery.js';
import type { StreamedDataset } from '../streams/streamed-dataset.js';

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
 * Examples, to be asked for by index or read one after the other (Fuel: `Dataset`). A dataset has no state: where a stream is in it,
 * the stream knows.
 */
export abstract class Dataset implements StreamedDataset {
  readonly providesSources: readonly string[];
  readonly sources: readonly string[];
  readonly axisLabels: ReadonlyMap<string, readonly string[]> | null;
  readonly defaultTransformers: readonly StreamTransformation[];
  #readers = 0;

  /** How many examples there are; null when it is not known. Indices go from 0 up to, not including, this. */
  abstract readonly examplesCount: number | null;

  constructor(options: DatasetOptions) {
    const { providesSources } = options;
    const sources = options.sources ?? providesSources;
    if (sources.length === 0) {
      throw new RangeError(
        `${this.constructor.name}: there are no sources; ${providesSources.length === 0 ? 'give one at least' : `ask for some of ${providesSources.join(', ')}`}`,
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

  /** Whether examples can be asked for by index. */
  get isIndexable(): boolean {
    return this.examplesCount !== null;
  }

  /** Every example once, in order (Fuel: `example_iteration_scheme`); null when they cannot be asked for by index, or have no end. */
  get exampleIterationScheme(): IterationScheme | null {
    const { examplesCount, isIndexable } = this;
    if (!isIndexable || examplesCount === null || !Number.isFinite(examplesCount)) return null;
    return new SequentialExampleScheme(examplesCount);
  }

  /** A stream of single examples, in order (Fuel: `get_example_stream`). */
  exampleStream(): DataStream {
    const scheme = this.exampleIterationScheme;
    if (scheme !== null) return new DatasetStream(this, scheme);
    throw new TypeError(
      `${this.constructor.name}: there is no exampleIterationScheme; let the class give one, or an exampleStream of its own`,
    );
  }

  /**
   * The columns of `sources`, `(batch, ...)`; arrays without the first axis for a single example.
   *
   * @param into where arrays that it makes may lie. They belong to the caller, who writes other batches there later: none is kept. Default: memory of their own
   * @throws RangeError when an index is outside of the dataset, TypeError when examples cannot be asked for by index
   */
  abstract getData(request: Request, into?: Memory): Promise<Batch>;

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

  /** Lets go of files, whoever still reads from it. */
  async close(): Promise<void> {}

  /** Says that one more reads from it, a stream for instance, which releases it when it is closed. */
  retain(): void {
    this.#readers += 1;
  }

  /** Says that one who retained it reads no more: the last one closes it. */
  async release(): Promise<void> {
    this.#readers -= 1;
    if (this.#readers === 0) await this.close();
  }

  /** For people: the class, and the number of examples if it is known. */
  toString(): string {
    const { examplesCount } = this;
    return examplesCount === null ? this.constructor.name : `${this.constructor.name}(${examplesCount})`;
  }
}
