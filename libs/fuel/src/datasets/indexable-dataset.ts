import type { Json, NdArray } from '@longrun/serialization';
import { takeRow, takeRows } from '../arrays/rows.js';
import type { Request } from '../schemes/iteration-scheme.js';
import type { Batch } from '../streams/data-stream.js';
import { commonLength, identityOf } from './dataset-identity.js';
import { Dataset, type DatasetOptions } from './dataset.js';

/** A dataset of arrays in memory, `(examples, ...)` each (Fuel: `IndexableDataset`). */
export class IndexableDataset extends Dataset {
  readonly examplesCount: number;
  readonly #arrays: ReadonlyMap<string, NdArray>;

  /**
   * @param indexables the arrays by source name; not copied, so not to be written to afterwards
   * @throws RangeError when the arrays differ in length
   */
  constructor(
    indexables: ReadonlyMap<string, NdArray> | Readonly<Record<string, NdArray>>,
    options: Omit<DatasetOptions, 'providesSources'> = {},
  ) {
    const arrays = new Map(isMap(indexables) ? indexables : Object.entries(indexables));
    super({ ...options, providesSources: [...arrays.keys()] });
    this.#arrays = arrays;
    this.examplesCount = commonLength('IndexableDataset', lengthsOf(arrays));
  }

  async getData(request: Request): Promise<Batch> {
    return { arrays: this.#read(request) };
  }

  override identity(): { readonly [key: string]: Json } {
    return identityOf(this.examplesCount, (examples) => this.#read(examples));
  }

  /** The whole array of a source (Fuel: `dataset.features`). Not to be written to. */
  indexable(source: string): NdArray {
    const array = this.#arrays.get(source);
    if (array !== undefined) return array;
    throw new RangeError(
      `IndexableDataset: there is no source ${source}; there are ${this.providesSources.join(', ')}`,
    );
  }

  #read(request: Request): ReadonlyMap<string, NdArray> {
    const arrays = new Map<string, NdArray>();
    for (const source of this.sources) {
      const array = this.indexable(source);
      arrays.set(source, typeof request === 'number' ? takeRow(array, request) : takeRows(array, request));
    }
    return arrays;
  }
}

function isMap<V>(value: ReadonlyMap<string, V> | Readonly<Record<string, V>>): value is ReadonlyMap<string, V> {
  return value instanceof Map;
}

function lengthsOf(arrays: ReadonlyMap<string, NdArray>): ReadonlyMap<string, number> {
  const lengths = new Map<string, number>();
  for (const [source, { shape }] of arrays) {
    const [length] = shape;
    if (length === undefined) {
      throw new RangeError(`IndexableDataset: ${source} is a scalar; give arrays whose first axis is the example`);
    }
    lengths.set(source, length);
  }
  return lengths;
}
