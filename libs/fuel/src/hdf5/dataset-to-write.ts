import type { DType } from '@longrun/serialization';

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

/** A source to write, with its bytes as they come. */
export interface SourceToWrite {
  readonly name: string;
  /** Element type; `bool` cannot be written yet. */
  readonly dtype: Exclude<DType, 'bool'>;
  /** `(examples, ...)`. */
  readonly shape: readonly number[];
  /** What each axis means, as `batch, channel, height, width`. Default: no labels. */
  readonly axisLabels?: readonly string[];
  /** The rows in order, as little-endian bytes in pieces of any size. Asked for once, after those of the source before. */
  readonly rows: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** A dataset to write. */
export interface H5DatasetToWrite {
  /** By split name, then by source name (Fuel: the `split_dict` of `create_split_array`). A pair left out is not available. */
  readonly splits: Readonly<Record<string, Readonly<Record<string, SplitRange>>>>;
  readonly sources: readonly SourceToWrite[];
  /** Attribute `fuel_convert_command`: how the file came about. Default: not written. */
  readonly command?: string;
}

/** @throws RangeError for sources or splits that do not fit together, saying how */
export function checkDataset({ sources, splits }: H5DatasetToWrite): void {
  const names = sources.map(({ name }) => name);
  const double = names.find((name, i) => names.indexOf(name) !== i);
  if (double !== undefined)
    throw new RangeError(`${double}: there are two sources of this name; name each differently`);
  for (const { name, shape, axisLabels } of sources) {
    if (name === '' || /[/\0]/.test(name)) {
      throw new RangeError(`${JSON.stringify(name)} cannot name a source; use a name without slashes, as features`);
    }
    if (shape.length === 0)
      throw new RangeError(`${name}: the shape is that of a scalar; its first axis is the example`);
    if (axisLabels !== undefined && axisLabels.length !== shape.length) {
      throw new RangeError(
        `${name}: there are ${axisLabels.length} axis labels for ${shape.length} axes; give one for each`,
      );
    }
  }
  for (const [split, ranges] of Object.entries(splits)) {
    for (const [source, range] of Object.entries(ranges)) {
      const rows = sources.find(({ name }) => name === source)?.shape[0];
      if (rows === undefined) {
        throw new RangeError(`split ${split}: there is no source ${source}; the sources are ${names.join(', ')}`);
      }
      for (const row of range.indices ?? [range.start, range.stop]) {
        const last = range.indices === undefined ? rows : rows - 1;
        if (Number.isSafeInteger(row) && row >= 0 && row <= last) continue;
        throw new RangeError(`split ${split}: row ${row} of ${source} does not exist; the source has ${rows} rows`);
      }
      if (range.indices === undefined && range.start > range.stop) {
        throw new RangeError(`split ${split}: ${source} starts at ${range.start}, after its stop at ${range.stop}`);
      }
    }
  }
}
