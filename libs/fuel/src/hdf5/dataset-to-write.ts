import type { DType } from '@longrun/serialization';
import type { StoredDataset } from './stored-dataset.js';

/** Which rows of a source belong to a split. */
export interface SplitRange {
  /** First row. */
  readonly start: number;
  /** The row after the last one. */
  readonly stop: number;
  /** The rows themselves, where they do not lie next to each other. They then stand instead of `start` and `stop`. */
  readonly indices?: readonly number[];
  /** Free text. Default none. */
  readonly comment?: string;
}

/** By split name, then by source name (Fuel: the `split_dict` of `create_split_array`). A pair left out is not available. */
export type SplitsToWrite = Readonly<Record<string, Readonly<Record<string, SplitRange>>>>;

/** A source whose rows are all there. */
export interface SourceToWrite {
  readonly name: string;
  readonly dtype: DType;
  /** `(examples, ...)`; of a ragged one `(examples)`. */
  readonly shape: readonly number[];
  readonly axisLabels: readonly string[];
  /** What it is in the file: the dataset of its name, and what belongs to that. */
  readonly stored: readonly StoredDataset[];
}

/** @throws RangeError for a name that HDF5 cannot hold, saying why */
export function checkSourceName(name: string): void {
  if (name === '' || name === '.' || /[/\0]|\p{Surrogate}/u.test(name)) {
    throw new RangeError(
      `${JSON.stringify(name)} cannot name a source; use whole characters without slashes and NULs, as features`,
    );
  }
}

/** @throws RangeError for a text that ends, in the file, before it is whole */
export function checkText(what: string, text: string): void {
  if (!/\0|\p{Surrogate}/u.test(text)) return;
  throw new RangeError(`${what} is ${JSON.stringify(text)}; use whole characters without NULs`);
}

/** @throws RangeError for splits that do not fit the sources, saying how */
export function checkSplits(splits: SplitsToWrite, sources: readonly SourceToWrite[]): void {
  const lists = new Set<string>();
  for (const { name } of [...sources, ...sources.flatMap(({ stored }) => stored.slice(1))]) {
    if (lists.has(name)) {
      const what = 'where the shapes of the rows of a ragged source, or their labels, would be';
      throw new RangeError(`there is a source ${name}, ${what}; rename it`);
    }
    lists.add(name);
  }
  for (const [split, ranges] of Object.entries(splits)) {
    if (split === '') throw new RangeError('a split has no name; name it, as train');
    checkText('the name of a split', split);
    for (const [source, range] of Object.entries(ranges)) {
      const rows = sources.find(({ name }) => name === source)?.shape[0];
      if (rows === undefined) {
        const names = sources.map(({ name }) => name).join(', ');
        throw new RangeError(`split ${split}: there is no source ${source}; the sources are ${names}`);
      }
      checkText(`split ${split}: the comment of ${source}`, range.comment ?? '');
      checkRows(split, source, range, rows);
      if (range.indices === undefined) continue;
      const list = indicesName(split, source);
      checkSourceName(list);
      if (lists.has(list)) {
        throw new RangeError(
          `split ${split}: the rows of ${source} would be listed in ${list}, which is there; rename it`,
        );
      }
      lists.add(list);
    }
  }
}

/** What the dataset is called that lists the rows of a split. */
export function indicesName(split: string, source: string): string {
  return `${split}_${source}_indices`;
}

function checkRows(split: string, source: string, { start, stop, indices }: SplitRange, rows: number): void {
  for (const row of indices ?? [start, stop]) {
    const last = indices === undefined ? rows : rows - 1;
    if (Number.isSafeInteger(row) && row >= 0 && row <= last) continue;
    throw new RangeError(`split ${split}: row ${row} of ${source} does not exist; the source has ${rows} rows`);
  }
  if (indices === undefined && start > stop) {
    throw new RangeError(`split ${split}: ${source} starts at ${start}, after its stop at ${stop}`);
  }
}
