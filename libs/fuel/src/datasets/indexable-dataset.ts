import type { Json } from '@longrun/serialization';
import type { Column, Columns } from '../arrays/column.js';
import type { Memory } from '../arrays/memory.js';
import { rowsOf, takeRow, takeRows } from '../arrays/rows.js';
import type { Request } from '../schemes/iteration-scheme.js';
import type { Batch } from '../streams/delivery.js';
import { commonLength, identityOf } from './dataset-identity.js';
import { Dataset, type DatasetOptions } from './dataset.js';

/** Which part of the columns makes up the dataset, and what is known of them. */
export interface IndexableDatasetOptions extends Omit<DatasetOptions, 'providesSources'> {
  /** The first row. Default 0. */
  readonly start?: number;
  /** The row after the last. Default: as many as there are. */
  readonly stop?: number;
}

/** A dataset of columns in memory, `(examples, ...)` each or ragged (Fuel: `IndexableDataset`). */
export class IndexableDataset extends Dataset {
  readonly examplesCount: number;
  readonly #columns: Columns;

  /**
   * @param indexables the columns by source name; not copied unless a part is asked for, so not to be written to afterwards
   * @throws RangeError when the columns differ in length, or do not have the part asked for
   */
  constructor(indexables: Columns | Readonly<Record<string, Column>>, options: IndexableDatasetOptions = {}) {
    const columns = new Map<string, Column>(isMap(indexables) ? indexables : Object.entries(indexables));
    super({ ...options, providesSources: [...columns.keys()] });
    const available = commonLength('IndexableDataset', lengthsOf(columns));
    const { start = 0, stop = available } = options;
    const whole = start === 0 && stop === available;
    this.#columns = whole
      ? columns
      : new Map([...columns].map(([source, column]) => [source, takeRows(column, { start, stop })]));
    this.examplesCount = stop - start;
  }

  async getData(request: Request, into?: Memory): Promise<Batch> {
    return { columns: this.#read(request, into) };
  }

  override identity(): { readonly [key: string]: Json } {
    return identityOf(this.examplesCount, (examples) => this.#read(examples));
  }

  /** The whole column of a source (Fuel: `dataset.features`). Not to be written to. */
  indexable(source: string): Column {
    const column = this.#columns.get(source);
    if (column !== undefined) return column;
    throw new RangeError(
      `IndexableDataset: there is no source ${source}; there are ${this.providesSources.join(', ')}`,
    );
  }

  #read(request: Request, into?: Memory): Columns {
    const columns = new Map<string, Column>();
    for (const source of this.sources) {
      const column = this.indexable(source);
      columns.set(
        source,
        typeof request === 'number' ? takeRow(column, request, into) : takeRows(column, request, into),
      );
    }
    return columns;
  }
}

function isMap<V>(value: ReadonlyMap<string, V> | Readonly<Record<string, V>>): value is ReadonlyMap<string, V> {
  return value instanceof Map;
}

function lengthsOf(columns: Columns): ReadonlyMap<string, number> {
  return new Map([...columns].map(([source, column]) => [source, rowsOf(column, `IndexableDataset: ${source}`)]));
}
