import type { NdArray } from '@longrun/serialization';
import type { Column, Columns } from '../arrays/column.js';
import type { Memory } from '../arrays/memory.js';
import { takeRow, takeRows } from '../arrays/rows.js';
import { commonRows } from './common-rows.js';

/** What examples are sorted by: lists are compared item by item, as Python's tuples. */
export type SortKey = number | bigint | string | readonly (number | bigint | string)[];

/** How to sort. */
export interface SortMappingOptions {
  /** From the largest key to the smallest; examples of one key stay in their order all the same. Default false. */
  readonly reverse?: boolean;
}

/**
 * Sorts the examples of each batch, for `Mapping` (Fuel: `SortMapping`). Examples of one key stay in the order in which they come. With
 * `Batching` below and `Cache` around, batches have examples of about one length: bucketing.
 */
export class SortMapping {
  readonly key: (example: ReadonlyMap<string, NdArray>) => SortKey;
  readonly reverse: boolean;

  /** @param key of an example, given its arrays by source */
  constructor(key: (example: ReadonlyMap<string, NdArray>) => SortKey, options: SortMappingOptions = {}) {
    this.key = key;
    this.reverse = options.reverse ?? false;
  }

  /**
   * The columns with their rows in order.
   *
   * @param into where they lie. Default: in memory of their own
   * @throws RangeError for a key that is NaN, which has no place
   */
  map(columns: Columns, into?: Memory): Columns {
    const sources = [...columns];
    const rows = commonRows('SortMapping', columns);
    const keys = Array.from({ length: rows }, (_, row) => {
      const key = this.key(new Map(sources.map(([source, column]) => [source, takeRow(column, row)])));
      if ((Array.isArray(key) ? key : [key]).some((part) => Number.isNaN(part))) {
        throw new RangeError(`SortMapping: the key of row ${row} is NaN, which is neither before nor after another`);
      }
      return { key, row };
    });
    const direction = this.reverse ? -1 : 1;
    const order = Uint32Array.from(
      keys.toSorted((a, b) => direction * compared(a.key, b.key)),
      ({ row }) => row,
    );
    return new Map<string, Column>(sources.map(([source, column]) => [source, takeRows(column, order, into)]));
  }
}

function compared(a: SortKey, b: SortKey): number {
  const [first, second] = [listed(a), listed(b)];
  for (const [i, part] of first.entries()) {
    const other = second[i];
    if (other === undefined) return 1;
    if (part < other) return -1;
    if (part > other) return 1;
  }
  return first.length - second.length;
}

function listed(key: SortKey): readonly (number | bigint | string)[] {
  return typeof key === 'object' ? key : [key];
}
