import {
  iterate,
  type Json,
  type NdArray,
  type Sequence,
  type Source,
  type StatefulIterator,
} from '@longrun/serialization';
import { exampleArray, type ExampleValue, isArray } from '../arrays/example-array.js';
import type { Request } from '../schemes/iteration-scheme.js';
import type { DataStream } from '../streams/data-stream.js';
import type { Batch } from '../streams/delivery.js';
import { IterableStream } from '../streams/iterable-stream.js';
import { checksumOf, commonLength, describedSource, spread } from './dataset-identity.js';
import { Dataset, type DatasetOptions } from './dataset.js';
import { IterableExamples, SideBySide } from './iterable-examples.js';

/** What an iterable dataset reads: an iterator with a state, such as the itertools, or a list or other sequence of examples. */
export type ExampleSource = Source<ExampleValue>;

/**
 * A dataset of iterables, whose examples come one after the other (Fuel: `IterableDataset`): for what has no index, or more examples
 * than fit in memory, or no end.
 *
 * The sources run side by side, an item of each for every example, as `exampleArray` makes an array of it. All end
 * together: `IterableLengthMismatch` is thrown in place of the example that one has and another has not, and a RangeError at
 * once where the lengths are known.
 *
 * Each epoch of each stream begins where the iterators were when the dataset was built. Streams of one dataset go on independently of
 * each other, but nobody else may read from its iterators. These give the same from the same state: a function that one is built
 * of depends on its arguments only.
 */
export class IterableDataset extends Dataset {
  /** Null when no source says how many examples it has. */
  readonly examplesCount: number | null;
  readonly #iterables: ReadonlyMap<string, ExampleSource>;
  readonly #sideBySide: SideBySide;
  #identity: { readonly [key: string]: Json } | undefined;

  /**
   * @param iterables by source name; or one, whose source is called `data`
   * @param options `axisLabels` are those of batches, as of any dataset: `batch` first
   * @throws RangeError when sources are known to differ in length, or are one and the same iterator
   * @throws TypeError for generators and other iterables without a position that can be saved
   */
  constructor(
    iterables: ExampleSource | ReadonlyMap<string, ExampleSource> | Readonly<Record<string, ExampleSource>>,
    options: Omit<DatasetOptions, 'providesSources'> = {},
  ) {
    const named = byName(iterables);
    super({ ...options, providesSources: [...named.keys()] });
    const place = (source: string): number => this.sources.indexOf(source);
    const wanted = [...named].filter(([source]) => place(source) >= 0);
    this.#iterables = new Map(wanted.toSorted(([a], [b]) => place(a) - place(b)));
    const lengths = new Map<string, number>();
    for (const [source, iterable] of this.#iterables) {
      const length = lengthOf(iterable);
      if (length !== undefined) lengths.set(source, length);
    }
    this.examplesCount = lengths.size === 0 ? null : commonLength('IterableDataset', lengths);
    this.#sideBySide = new SideBySide(iteratorsOf(this.#iterables));
  }

  override get isIndexable(): false {
    return false;
  }

  override exampleStream(): DataStream {
    return new IterableStream(this);
  }

  /**
   * The examples from the first on, whatever others are reading (Fuel: `open`).
   *
   * @param epoch of which pass over them these are. Default 0
   */
  examples(epoch = 0): IterableExamples {
    return new IterableExamples(this.#sideBySide, () => this.identity(), epoch);
  }

  /** @throws TypeError always: the examples come one after the other */
  async getData(request: Request): Promise<Batch> {
    throw new TypeError(
      `IterableDataset: ${typeof request === 'number' ? `example ${request} was` : 'a batch was'} asked for, but the examples ` +
        'come one after the other; read them by exampleStream(), and put batches together by Batching',
    );
  }

  /**
   * How many examples there are, if it is known; dtype and shape of each source in the first one; a checksum of it, and of up to 16 that
   * are spread over each sequence. The first example is read for it.
   */
  override identity(): { readonly [key: string]: Json } {
    this.#identity ??= this.#identify();
    return this.#identity;
  }

  #identify(): { readonly [key: string]: Json } {
    const step = this.examples().next();
    const first = step.done ? [] : [...step.value.columns];
    const sample: NdArray[] = first.map(([, array]) => array);
    for (const [source, iterable] of this.#iterables) {
      if (!isSequence(iterable)) continue;
      for (const index of spread(iterable.length)) {
        const value = iterable.at(index);
        if (value !== undefined) sample.push(exampleArray(value, source));
      }
    }
    return {
      examples: this.examplesCount,
      sources: step.done
        ? this.sources
        : first.map(([source, array]) => describedSource(source, array, array.shape.join(', '))),
      sample: checksumOf(sample),
    };
  }
}

function byName(
  iterables: ExampleSource | ReadonlyMap<string, ExampleSource> | Readonly<Record<string, ExampleSource>>,
): ReadonlyMap<string, ExampleSource> {
  if (isNamed(iterables)) return iterables;
  if (isArray(iterables)) {
    throw new TypeError('IterableDataset: an array has an index; use IndexableDataset, or give the list of its rows');
  }
  if (isSource(iterables)) return new Map([['data', iterables]]);
  return new Map(Object.entries(iterables));
}

function isNamed(value: unknown): value is ReadonlyMap<string, ExampleSource> {
  return value instanceof Map;
}

function isSource(value: ExampleSource | Readonly<Record<string, ExampleSource>>): value is ExampleSource {
  return typeof value !== 'object' || Symbol.iterator in value || isSequence(value);
}

function isSequence(value: unknown): value is Sequence<ExampleValue> {
  if (typeof value !== 'object' || value === null) return false;
  return 'length' in value && typeof value.length === 'number' && 'at' in value && typeof value.at === 'function';
}

function lengthOf(iterable: ExampleSource): number | undefined {
  if (isSequence(iterable)) return iterable.length;
  return iterable instanceof Set ? iterable.size : undefined;
}

function iteratorsOf(
  iterables: ReadonlyMap<string, ExampleSource>,
): ReadonlyMap<string, StatefulIterator<ExampleValue>> {
  const iterators = new Map<string, StatefulIterator<ExampleValue>>();
  for (const [source, iterable] of iterables) {
    const iterator = iteratorOf(source, iterable);
    const same = [...iterators].find(([, other]) => other === iterator);
    if (same !== undefined) {
      throw new RangeError(
        `IterableDataset: ${same[0]} and ${source} are one iterator, of which each would get every other item; give one of tee(iterator) each`,
      );
    }
    iterators.set(source, iterator);
  }
  return iterators;
}

function iteratorOf(source: string, iterable: ExampleSource): StatefulIterator<ExampleValue> {
  try {
    return iterate(iterable);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new TypeError(`IterableDataset: ${source} cannot be read: ${error.message}`, { cause: error });
  }
}
