import type { Json, NdArray } from '@longrun/serialization';
import { takeRow, takeRows } from '../arrays/rows.js';
import type { Request } from '../schemes/iteration-scheme.js';
import type { Batch } from '../streams/data-stream.js';
import { identityOf } from './dataset-identity.js';
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
    this.examplesCount = commonLength(arrays);
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

function commonLength(arrays: ReadonlyMap<string, NdArray>): number {
  const lengths = [...arrays].map(([source, array]) => [source, array.shape[0]] as const);
  const length = lengths[0]?.[1];
  for (const [source, count] of lengths) {
    if (count === undefined) {
      throw new RangeError(`IndexableDataset: ${source} is a scalar; give arrays whose first axis is the example`);
    }
    if (count !== length) {
      throw new RangeError(
        `IndexableDataset: the sources have different lengths: ${lengths.map(([name, n]) => `${name} ${n}`).join(', ')}`,
      );
    }
  }
  return length ?? 0;
}
